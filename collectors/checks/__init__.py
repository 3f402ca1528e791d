"""The second check, just before the wire: rules that know the site, the device and the hour, and no plan.

`judge` holds a setpoint against all rules that need no memory; `pace`, `budget` and `once` are the memory.
"""
