"""The site that the plant's tests run on."""

import pytest

from igoudar.core.model import Site

from .lab import lab


@pytest.fixture
def site() -> Site:
    return lab()
