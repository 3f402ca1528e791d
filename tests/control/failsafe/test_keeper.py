"""The failsafe against a scheduler that may fail, on a clock that a test moves."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from igoudar.control.failsafe import deeds, keeper
from igoudar.control.failsafe.heartbeat import Heartbeat
from igoudar.control.failsafe.keeper import CONFIRM_S, Failsafe
from igoudar.control.failsafe.suspended import SuspendedJobs
from igoudar.control.failsafe.watch import LEAST_SILENCE_S, Why
from igoudar.core.clock import SiteClock
from igoudar.core.errors import CommandError, LinkError
from igoudar.core.model import JobState

AT = datetime(2025, 3, 1, 12, tzinfo=UTC)
START_S = 1000.0


@dataclass
class Jobs:
    """A scheduler with some jobs; `down`, `blind` and `deaf` are its faults."""

    states: dict[str, JobState]
    down: bool = False
    blind: bool = False  # its list can't be read
    deaf: bool = False  # acknowledges and does nothing
    resumed: list[str] = field(default_factory=list)

    async def suspended(self) -> list[str]:
        if self.down or self.blind:
            raise LinkError("no list")
        return [name for name, state in self.states.items() if state is JobState.SUSPENDED]

    async def resume(self, job_id: str) -> None:
        if self.down:
            raise LinkError("it does not answer")
        if self.states.get(job_id) is not JobState.SUSPENDED:
            raise CommandError("it is not suspended")
        self.resumed.append(job_id)
        if not self.deaf:
            self.states[job_id] = JobState.RUNNING


class Site:
    """A state folder with a control that beats when told, and its failsafe."""

    def __init__(self, state: Path, *names: str, minutes: float = 30.0) -> None:
        self.state, self.heart = state, Heartbeat(state)
        self.jobs = Jobs(dict.fromkeys(names, JobState.SUSPENDED))
        SiteClock(AT, START_S, 1.0).save(state / "clock.json")
        for name in names:
            SuspendedJobs(state).note(name, AT, AT + timedelta(minutes=minutes))
        self.failsafe = Failsafe.open(state, self.jobs, START_S)

    async def run(self, since_s: float, until_s: float, *, alive: bool) -> None:
        for now_s in range(int(since_s), int(until_s) + 1):
            if alive:
                self.heart.beat(0.5)
            await self.failsafe.step(START_S + now_s)

    def told(self) -> list[tuple[str, str, Why, int]]:
        return [(d.pause.job_id, d.state, d.why, d.attempts) for d in deeds.read_deeds(self.state)]


async def test_while_control_lives_nothing_is_resumed_before_its_time(tmp_path: Path) -> None:
    site = Site(tmp_path, "17", "18")
    await site.run(0, 1790, alive=True)
    assert site.jobs.resumed == []
    assert not (tmp_path / deeds.NAME).exists()


async def test_a_resume_by_is_kept_even_beside_a_living_control(tmp_path: Path) -> None:
    site = Site(tmp_path, "17")
    await site.run(0, 1800, alive=True)
    assert site.jobs.resumed == ["17"]
    await site.run(1801, 1900, alive=True)
    assert site.told() == [("17", deeds.RESUMED, Why.RESUME_BY, 1)]


async def test_a_silent_control_means_that_everything_runs_again(tmp_path: Path) -> None:
    site = Site(tmp_path, "17", "18")
    await site.run(0, 10, alive=True)
    await site.run(11, 10 + LEAST_SILENCE_S - 1, alive=False)
    assert site.jobs.resumed == []
    await site.run(10 + LEAST_SILENCE_S, 60, alive=False)
    assert site.jobs.resumed == ["17", "18"]
    assert {why for _, _, why, _ in site.told()} == {Why.SILENCE}
    assert site.failsafe.idle


async def test_nothing_is_resumed_twice_not_even_by_a_restarted_failsafe(tmp_path: Path) -> None:
    site = Site(tmp_path, "17")
    await site.run(0, 40, alive=False)
    site.jobs.states["17"] = JobState.SUSPENDED  # by somebody else, who has not promised anything
    site.failsafe = Failsafe.open(tmp_path, site.jobs, START_S + 41)
    await site.run(41, 4000, alive=False)
    assert site.jobs.resumed == ["17"]


async def test_a_job_that_is_paused_again_is_resumed_again(tmp_path: Path) -> None:
    site = Site(tmp_path, "17")
    await site.run(0, 40, alive=False)
    site.jobs.states["17"] = JobState.SUSPENDED
    SuspendedJobs(tmp_path).note("17", AT + timedelta(seconds=41), AT + timedelta(minutes=10))
    await site.run(41, 50, alive=False)
    assert site.jobs.resumed == ["17", "17"]


@pytest.mark.parametrize("state", [JobState.RUNNING, JobState.FINISHED, JobState.WAITING])
async def test_a_job_that_is_not_paused_any_more_is_left_alone(tmp_path: Path, state: JobState) -> None:
    site = Site(tmp_path, "17")
    site.jobs.states["17"] = state
    await site.run(0, 60, alive=False)
    assert site.jobs.resumed == []
    assert site.told() == [("17", deeds.NOT_NEEDED, Why.SILENCE, 0)]


async def test_a_scheduler_that_is_down_is_asked_until_it_answers(tmp_path: Path) -> None:
    site = Site(tmp_path, "17")
    site.jobs.down = True
    await site.run(0, 300, alive=False)
    (kept,) = deeds.read_deeds(tmp_path)
    assert (kept.state, kept.error) == (deeds.ASKING, "it does not answer")
    assert 5 <= kept.attempts <= 20  # with pauses between
    assert not site.failsafe.idle
    site.jobs.down = False
    await site.run(301, 340, alive=True)  # what was begun is finished, though control is back
    assert site.jobs.resumed == ["17"]


async def test_a_list_that_can_t_be_read_does_not_keep_a_job_paused(tmp_path: Path) -> None:
    site = Site(tmp_path, "17")
    site.jobs.blind = True
    await site.run(0, 120, alive=False)
    assert site.jobs.resumed == ["17"]
    assert site.told()[0][1] == deeds.RESUMED


async def test_an_acknowledgement_without_an_effect_is_not_believed(tmp_path: Path) -> None:
    site = Site(tmp_path, "17")
    site.jobs.deaf = True
    await site.run(0, int(LEAST_SILENCE_S + 3 * CONFIRM_S), alive=False)
    assert len(site.jobs.resumed) >= 3
    site.jobs.deaf = False
    await site.run(40, 50, alive=False)
    assert site.told()[0][1] == deeds.RESUMED


async def test_what_control_resumed_itself_needs_nothing(tmp_path: Path) -> None:
    site = Site(tmp_path, "17")
    site.jobs.down = True
    await site.run(0, 40, alive=False)
    SuspendedJobs(tmp_path).forget(["17"])
    await site.run(41, 42, alive=True)
    assert site.failsafe.idle
    assert site.told()[0][1] == deeds.RESUMED  # it had asked


async def test_a_broken_list_of_pauses_keeps_the_promises_known_before(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    site = Site(tmp_path, "17")
    await site.run(0, 1, alive=True)
    (tmp_path / "suspended.json").write_text("{")
    await site.run(2, 60, alive=False)
    assert site.jobs.resumed == ["17"]
    assert caplog.text.count("can't be read") == 1


async def test_a_broken_record_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / deeds.NAME).write_text("{")
    site = Site(tmp_path, "17")
    await site.run(0, 60, alive=False)
    assert site.jobs.resumed == ["17"]
    assert (tmp_path / f"{deeds.NAME}.unreadable").exists()


async def test_a_record_that_can_t_be_written_does_not_keep_a_job_paused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    site = Site(tmp_path, "17")
    monkeypatch.setattr(deeds, "write_durably", full)
    await site.run(0, 60, alive=False)
    assert site.jobs.resumed == ["17"]


async def test_the_record_forgets_the_oldest_that_are_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "KEPT", 2)
    site = Site(tmp_path, "1", "2", "3", "4")
    await site.run(0, 40, alive=False)
    assert len(deeds.read_deeds(tmp_path)) == 4  # control has not been back to read them
    SuspendedJobs(tmp_path).forget(["1", "2", "3", "4"])
    site.jobs.states["5"] = JobState.SUSPENDED
    SuspendedJobs(tmp_path).note("5", AT, AT + timedelta(minutes=1))
    await site.run(41, 45, alive=False)
    assert [deed.pause.job_id for deed in deeds.read_deeds(tmp_path)] == ["3", "4", "5"]


async def never(*_: object) -> list[str]:
    answer: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()
    return await answer


@pytest.mark.parametrize("fault", ["hangs", "breaks"])
async def test_a_scheduler_that_hangs_or_breaks_does_not_stop_the_watch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    async def call(*_: object) -> list[str]:
        if fault == "breaks":
            raise OSError(24, "Too many open files")
        return await never()

    monkeypatch.setattr(keeper, "CALL_S", 0.05)
    site = Site(tmp_path, "17")
    with monkeypatch.context() as away:
        away.setattr(Jobs, "suspended", call)
        away.setattr(Jobs, "resume", call)
        async with asyncio.timeout(10):
            await site.failsafe.step(START_S + LEAST_SILENCE_S)
    (kept,) = deeds.read_deeds(tmp_path)
    assert kept.state == deeds.ASKING
    assert ("not answered" if fault == "hangs" else "Too many open files") in kept.error
    await site.run(60, 62, alive=False)
    assert site.jobs.resumed == ["17"]


async def test_the_last_pass_ends_though_the_scheduler_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "LAST_PASS_S", 0.05)
    monkeypatch.setattr(Jobs, "suspended", never)
    site = Site(tmp_path, "17")
    serving = asyncio.create_task(keeper.serve(site.failsafe, lambda: False))
    await asyncio.sleep(0)
    serving.cancel()
    async with asyncio.timeout(10):
        await asyncio.wait([serving])
    assert serving.cancelled()
    assert not site.failsafe.idle
