"""Turn readings into plans, alarms and guarded commands."""
