"""What waits for a person: the same is not asked twice, but again once its time is over."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.control.actuation.test_pauses import pause

from igoudar.control.actuation.proposals import DECLINED, Proposals
from igoudar.control.records.state import Records

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def proposals(tmp_path: Path) -> Iterator[Proposals]:
    records = Records.open(tmp_path / "state.sqlite")
    yield Proposals.open(records, HOUR.total_seconds(), T0)
    records.close()


@pytest.mark.parametrize("declined", [False, True])
def test_the_same_is_asked_again_only_once_its_time_is_over(proposals: Proposals, declined: bool) -> None:
    first, new = proposals.propose(pause(T0), 1, None, None, T0)
    assert new
    if declined:
        proposals.settle(first, DECLINED, "ada", "no")
    same = replace(pause(T0), command_id="same")
    assert proposals.propose(same, 1, None, None, T0 + HOUR / 2) == (first, False)
    later, new = proposals.propose(same, 1, None, None, T0 + HOUR)
    assert (later.id, new) == ("same", True)
    assert [row.id for row in proposals.waiting()] == ["same"]
    assert first.state == ("declined" if declined else "expired")
