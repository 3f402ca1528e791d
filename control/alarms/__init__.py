"""ISA-18.2 alarms: rules and states are pure."""
