"""The stand-in library in this process, one node's file per test, and certificates."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.peers.nvml import VARIABLE, Node, compiled, preloaded

from igoudar.control.caps_agent.book import open_book
from igoudar.control.caps_agent.config import Rules
from igoudar.control.caps_agent.keeper import Keeper
from igoudar.control.caps_agent.nvml import Nvml

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
RULES = Rules(minimum_w=500.0, maximum_w=1100.0, default_w=1000.0, longest_s=3600.0, verify_s=10.0)


@dataclass
class Boots:
    """A clock that a test moves, across boots as well."""

    boot_id: str = "boot-1"
    seconds: float = 1000.0
    at: datetime = field(default_factory=lambda: START)

    def now_s(self) -> float:
        return self.seconds

    def wall(self) -> datetime:
        return self.at

    def advance(self, seconds: float) -> None:
        self.seconds += seconds
        self.at += timedelta(seconds=seconds)

    def reboot(self, takes_s: float = 120.0) -> None:
        self.at += timedelta(seconds=takes_s)
        self.boot_id, self.seconds = f"{self.boot_id}+", 20.0


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(tmp_path_factory.mktemp("nvml"))


@pytest.fixture
def node(library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Node]:
    preloaded(library)
    made = Node(tmp_path / "gpus")
    monkeypatch.setenv(VARIABLE, str(made.file))
    yield made
    Nvml().close()


@pytest.fixture
def clock() -> Boots:
    return Boots()


def keeper(folder: Path, clock: Boots, rules: Rules = RULES) -> Keeper:
    """A keeper as after a start of the agent."""
    return Keeper(Nvml(), rules, open_book(folder, clock), folder, clock)
