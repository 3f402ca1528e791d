"""What to expect of sun, wind, urgent load and new work, and how sure that is."""
