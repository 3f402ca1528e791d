"""Real programs to test against: found, or the test skips with a reason (fails where peers are required)."""

import os
import shutil

import pytest


def program(name: str, package: str = "") -> str:
    """The path of a system program.

    Skips the test when it is missing; with IGOUDAR_REQUIRE_PEERS=1 a missing program is a failure.
    """
    found = shutil.which(name)
    if found:
        return found
    reason = f"{name} is not installed (Debian: apt install {package or name})"
    if os.environ.get("IGOUDAR_REQUIRE_PEERS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
