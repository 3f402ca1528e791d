from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.control.demand_response.rig import Rig, rig

from igoudar.control.demand_response.event import EventState
from igoudar.control.demand_response.request import EventKind, EventRequest

HOUR = timedelta(hours=1)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Rig]:
    made = rig(tmp_path)
    yield made
    made.room.book.records.close()


def shed(site: Rig, share: float = 0.3, hours: float = 1.0, notice_s: float = 0.0) -> EventRequest:
    start = site.now + timedelta(seconds=notice_s)
    return EventRequest(
        EventKind.SHED,
        "operator",
        "ada",
        "test",
        share=share,
        notice_s=notice_s,
        ends_at=start + hours * HOUR,
    )


async def test_a_shed_is_reached_within_half_a_minute_and_held(site: Rig) -> None:
    before_w = site.load_w
    name = site.open(shed(site))
    await site.run(30.0)
    event = site.event(name)
    assert event.baseline_w == pytest.approx(before_w, rel=0.03)
    assert event.limit_w == pytest.approx(0.7 * event.baseline_w)
    assert event.reached_at is not None
    assert site.load_w < event.limit_w
    await site.until(name, EventState.RETURNING)
    event = site.event(name)
    assert event.minutes.met >= 58
    assert event.minutes.missed == event.quarters.missed == 0
    await site.until(name, EventState.DONE)
    assert site.room.memory.idle
