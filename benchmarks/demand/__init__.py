"""Parts of the emergency measurement."""
