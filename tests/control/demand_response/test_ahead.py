"""What the plan is told of events."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from igoudar.control.demand_response.ahead import ceilings
from igoudar.control.demand_response.event import Event, EventState, begun, ended, opened
from igoudar.control.demand_response.request import EventKind, EventRequest
from igoudar.control.demand_response.rules import Rules

NOW = datetime(2026, 3, 4, 10, tzinfo=UTC)
ZERO = NOW - timedelta(hours=1)
RULES = Rules(margin_ratio=0.02, open_s=7200.0)


def event(kind: EventKind, hours: float | None = 3.0, **given: Any) -> Event:
    start = NOW + timedelta(hours=2)
    end = start + timedelta(hours=hours) if hours else None
    request = EventRequest(kind, "operator", "ada", starts_at=start, ends_at=end, **given)
    return opened(request, "event-1", NOW, 60.0, 1e6)


def test_an_announced_event_is_told_with_its_target_and_its_meter() -> None:
    (one,) = ceilings([event(EventKind.IMPORT_CAP, limit_w=500e3)], NOW, ZERO, RULES)
    assert (one.meter, one.start_s, one.end_s) == ("import", 3 * 3600.0, 6 * 3600.0)
    assert one.limit_w == pytest.approx(490e3)
    (shed,) = ceilings([event(EventKind.SHED, share=0.3)], NOW, ZERO, RULES)
    assert (shed.meter, shed.limit_w) == ("facility", pytest.approx(0.98 * 700e3))


def test_an_event_that_acts_holds_from_its_lead_and_an_open_one_as_long_as_usual() -> None:
    acts = begun(event(EventKind.CAP, None, limit_w=500e3), None)
    late = NOW + timedelta(hours=5)
    (one,) = ceilings([acts], late, ZERO, RULES)
    assert one.start_s == 3 * 3600.0 - 60.0
    assert one.end_s == (late - ZERO).total_seconds() + 7200.0


def test_what_returns_or_is_over_is_not_told() -> None:
    acts = begun(event(EventKind.CAP, limit_w=500e3), None)
    back = ended(acts, NOW, 400e3)
    assert back.state is EventState.RETURNING
    assert ceilings([back, ended(event(EventKind.CAP, limit_w=1.0), NOW, None)], NOW, ZERO, RULES) == ()
