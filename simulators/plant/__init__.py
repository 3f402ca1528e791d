"""Physics of the simulated plant."""
