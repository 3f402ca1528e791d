"""The plant's physics behind the real protocols."""
