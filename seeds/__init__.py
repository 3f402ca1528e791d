"""Site files as data."""
