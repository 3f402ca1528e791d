"""The parts of `benchmarks/collect.py`: the load, the collector under test and what it is compared with."""
