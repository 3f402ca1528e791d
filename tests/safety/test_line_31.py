"""31. Clock jumps are detected."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igoudar.control.lease.file import FileLease
from igoudar.control.picture import Picture
from igoudar.control.records.room import AuditRoom
from igoudar.control.records.state import Records
from igoudar.control.upkeep import Upkeep
from igoudar.core.clock import JumpWatch

T0 = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("jump_s", [3600.0, -3600.0, 2.0, -1.5])
def test_line_31_a_jump_is_an_alarm_and_an_audit_line(tmp_path: Path, jump_s: float) -> None:
    records = Records.open(tmp_path / "state.sqlite")
    room = AuditRoom(records, tmp_path, 0, 0)
    upkeep = Upkeep("lab", records, room, FileLease(tmp_path), lambda: T0, "v1")
    upkeep.look(1e9, 10.0)
    upkeep.look(1e9 + 1.0 + jump_s, 11.0)
    raised = {signal.code for signal in upkeep.signals(Picture(T0), {}) if signal.pulse}
    assert raised == {"clock_jumped"}
    (line,) = records.actions()
    assert (line.verb, line.params["jump_s"]) == ("clock_jump", pytest.approx(jump_s))
    records.close()


@given(st.lists(st.tuples(st.floats(0.1, 60.0), st.floats(-0.0005, 0.0005)), max_size=50))
def test_line_31_what_ntp_slews_is_no_jump(steps: list[tuple[float, float]]) -> None:
    watch, wall_s, monotonic_s = JumpWatch(), 1e9, 0.0
    for length_s, slew in steps:
        wall_s, monotonic_s = wall_s + length_s * (1 + slew), monotonic_s + length_s
        assert watch.look(wall_s, monotonic_s) == 0.0


@given(st.floats(1.1, 1e7), st.sampled_from([1, -1]), st.floats(0.1, 5.0))
def test_line_31_every_jump_of_more_than_a_second_is_found_and_told_by_its_size(
    size_s: float, sign: int, length_s: float
) -> None:
    watch = JumpWatch()
    watch.look(1e9, 0.0)
    assert watch.look(1e9 + length_s + sign * size_s, length_s) == pytest.approx(sign * size_s, abs=1e-5)
    assert watch.look(1e9 + 2 * length_s + sign * size_s, 2 * length_s) == 0.0
