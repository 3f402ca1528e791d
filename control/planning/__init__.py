"""Policies and plans: pure functions."""
