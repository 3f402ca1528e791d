"""`igoudar cap-agent`: power limits of one node's GPUs, got and set over mutual TLS, and nothing else."""
