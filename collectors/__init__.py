"""Turn registers, nodes and metrics into readings."""
