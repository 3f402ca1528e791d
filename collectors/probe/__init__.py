"""Finding out what answers at an address: who is there, which profile fits, what it reads now.

Nothing here writes to a device, and requests are at least `PAUSE_S` apart.
"""
