"""The rolling plan: a linear program over job classes, solved at every step."""
