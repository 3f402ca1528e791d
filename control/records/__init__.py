"""State that people make: SQL."""
