"""Backtests and studies: same plant, same control, no wires."""
