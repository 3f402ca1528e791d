"""Measurements, never timed tests: `make bench BENCH=store`."""
