"""Documents of the API, built from state by pure functions."""
