"""The command API."""
