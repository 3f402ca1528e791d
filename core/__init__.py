"""The words every part of igoudar speaks."""
