"""One adapter per job scheduler."""
