"""What every test may use: real programs (or a stated skip) and the shared data."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real series and traces; tests that need it skip where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"no measured data at {SHARED}")
    return SHARED
