from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.control.dsx.grid import NOW, SITE, Grid

from igoudar.control.demand_response.event import Event, opened
from igoudar.control.demand_response.request import EventRequest, check
from igoudar.control.dsx.flex import Flex
from igoudar.control.dsx.seal import Seal, Signer
from igoudar.control.dsx.seen import Seen
from igoudar.control.lease import not_writer
from igoudar.core.clock import ManualClock
from igoudar.core.model_dsx import Dsx


@dataclass
class RecordingDesk:
    """What was asked, and a load that the test sets."""

    asked: list[EventRequest] = field(default_factory=list)
    withdrawn: int = 0
    limit_w: float | None = None
    facility_w: float | None = 40e6
    writer: bool = True

    def open(self, request: EventRequest) -> Event:
        check(request, NOW)
        if not self.writer:
            raise not_writer("events")
        self.asked.append(request)
        self.limit_w = request.limit_w
        return opened(request, f"event-{len(self.asked)}", NOW, 0.0, None)

    def withdraw(self, source: str, slot: str, who: str) -> int:
        if not self.writer:
            raise not_writer("events")
        self.withdrawn += 1
        self.limit_w = None
        return 1

    def load_w(self) -> float | None:
        return self.facility_w

    def held(self, source: str) -> float | None:
        return self.limit_w


@dataclass
class Room:
    """A flex, its desk, its clock and what it noted."""

    flex: Flex
    desk: RecordingDesk
    clock: ManualClock
    notes: list[str]
    wall: list[datetime]

    def later(self, seconds: float) -> None:
        self.wall[0] += timedelta(seconds=seconds)
        self.clock.advance(seconds)


@pytest.fixture
def grid() -> Grid:
    return Grid.new()


@pytest.fixture
def site_key() -> Grid:
    return Grid.new("site-1")


@pytest.fixture
def build(tmp_path: Path, grid: Grid, site_key: Grid) -> Callable[..., Room]:
    def built(**settings: object) -> Room:
        keys = grid.jwks(tmp_path / "grid.jwks")
        seal_file = site_key.jwks(tmp_path / "site.jwks", private=True)
        dsx = Dsx(
            identifier=SITE, host="127.0.0.1", keys_file=str(keys), seal_file=str(seal_file), **settings
        )  # type: ignore[arg-type]
        desk, clock, notes, wall = RecordingDesk(), ManualClock(NOW), list[str](), [NOW]
        flex = Flex(
            dsx,
            desk,
            Seal.of_file(dsx.keys_file, dsx.algorithms),
            Signer.of_file(dsx.seal_file, dsx.algorithms),
            Seen(tmp_path / "seen.json", timedelta(seconds=dsx.oldest_s), NOW),
            clock,
            lambda who, verb, target, before, after, reason, at: notes.append(after),
            lambda: wall[0],
        )
        return Room(flex, desk, clock, notes, wall)

    return built


@pytest.fixture
def room(build: Callable[..., Room]) -> Room:
    return build()
