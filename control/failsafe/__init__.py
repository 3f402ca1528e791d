"""The promise that what we paused runs again, kept by a process of its own."""
