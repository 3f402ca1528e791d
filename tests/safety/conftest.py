"""A control process with everything real but its plant: the stand-in site of the control tests."""

from tests.control.conftest import clock, cluster, lab, plant, serve_http, state
from tests.control.test_loop import rig, solver

__all__ = ["clock", "cluster", "lab", "plant", "rig", "serve_http", "solver", "state"]
