"""Two controls on a real PostgreSQL: the second one goes on in what people set on the first."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from tests.control.test_loop import Solver
from tests.peers.postgres import Server, postgres

from igoudar.control.acting_setup import close
from igoudar.control.actuation.command import ActuatorClass
from igoudar.control.actuation.schedulers.choice import scheduler_address
from igoudar.control.actuation.schedulers.simulated import SimulatedScheduler
from igoudar.control.api.rooms import Rooms
from igoudar.control.demand_response.request import EventKind, EventRequest
from igoudar.control.failsafe.suspended import SuspendedJobs
from igoudar.control.lease import seen_epoch
from igoudar.control.lease.postgres import PostgresLease
from igoudar.control.loop import Loop
from igoudar.control.mode import Modes
from igoudar.control.plan_service import PlanService
from igoudar.control.records.opening import open_records
from igoudar.control.records.safety_tables import HandsOffRow
from igoudar.control.records.state import Records
from igoudar.control.records.tables import ModeRow
from igoudar.control.service import assemble
from igoudar.control.telemetry import CollectorTelemetry
from igoudar.core import handsoff
from igoudar.core.errors import CommandError
from igoudar.core.model import JobState
from igoudar.core.model_people import Auditing
from igoudar.core.store.reader import ParquetReader

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LEASE_S, GRACE_S, WITHIN_S = 3.0, 0.2, 30.0  # wall
RATE = ("battery-1", "discharge_rate_pct")


@dataclass
class Host:
    """One control and its own state folder."""

    state: Path
    loop: Loop
    rooms: Rooms
    lease: PostgresLease
    records: Records

    async def takes_over(self) -> None:
        """The lease of whoever does not renew it becomes ours; then a cycle."""
        async with asyncio.timeout(WITHIN_S):
            while not self.lease.take():
                await asyncio.sleep(0.02)
        assert not self.may_act()  # what the other has left is not known yet
        await self.loop.cycle()
        assert self.may_act()

    def may_act(self) -> bool:
        return self.loop.acting.executor.gate.lease.held()


Start = Callable[[str], Any]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgres() as running:
        yield running


@pytest.fixture
async def start(server: Server, state: Path, plant: Any, tmp_path: Path) -> AsyncIterator[Start]:
    """Starts controls by the names of their processes, HOST:PID, all beside the same plant and jobs."""
    rules = Auditing(url_file=str(server.create(tmp_path)))
    running: list[Host] = []
    async with AsyncExitStack() as stack:

        async def begin(name: str) -> Host:
            folder = tmp_path / name
            folder.mkdir()
            (folder / "collect.sock").symlink_to(state / "collect.sock")
            shutil.copy(state / "endpoints.json", folder)
            for host in running:
                host.lease.take()  # as its keeper does
            running.append(await stack.enter_async_context(control(name, folder, rules, plant)))
            return running[-1]

        yield begin


@asynccontextmanager
async def control(name: str, state: Path, rules: Auditing, plant: Any) -> AsyncIterator[Host]:
    records = open_records(rules, state)
    scheduler = SimulatedScheduler(lambda: scheduler_address(state))
    telemetry, planner = CollectorTelemetry(state / "collect.sock"), PlanService(Solver(), 60.0)
    lease = PostgresLease(records.engine, partial(seen_epoch, state), LEASE_S, GRACE_S, name)
    lease.take()
    reader = ParquetReader(state / "store")
    loop, rooms = await assemble(
        plant.roster,
        plant.clock,
        state,
        records,
        scheduler,
        telemetry,
        reader,
        "observe",
        None,
        planner,
        lease,
    )
    await loop.cycle()
    yield Host(state, loop, rooms, lease, records)
    await close(loop.acting)
    lease.close()
    await planner.close()
    await telemetry.close()
    await scheduler.close()
    records.close()


async def cycles(host: Host, plant: Any, count: int = 1) -> None:
    for _ in range(count):
        host.lease.take()  # as its keeper does
        plant.run(30)
        await host.loop.cycle()


async def people_work(host: Host, plant: Any, cluster: Any) -> None:
    """Everything that a person can set, on the writer."""
    now, rooms = plant.clock.now(), host.rooms
    rooms.modes.change("auto", "ada", "drill", now)
    rooms.modes.change_class(ActuatorClass.JOBS, "advise", "ada", now)
    await cycles(host, plant, 4)
    wish = rooms.hands.wish(*RATE, 40.0, plant.clock.now() + 2 * HOUR, "ada", "drill", plant.clock.now())
    await rooms.hands.override(wish, plant.clock.now())
    cluster.add("runs", state=JobState.RUNNING, begin_at=None, started=plant.clock.now())
    await rooms.operator.act("runs", "suspend", "ada", "drill", plant.clock.now(), plant.clock.now() + HOUR)
    cluster.add("waits", begin_at=plant.clock.now() + HOUR)
    await cycles(host, plant, 2)
    rooms.events.open(
        EventRequest(EventKind.CAP, "operator", "ada", limit_w=900e3, starts_at=plant.clock.now() + 3 * HOUR)
    )


def known(host: Host) -> dict[str, Any]:
    """What a control knows of people's wishes."""
    rooms = host.rooms
    view = rooms.modes.view()
    return {
        "mode": (view.mode, view.by, view.classes),
        "overrides": [(row.target, row.point, row.value, row.who) for row in rooms.hands.overrides()],
        "proposals": [(row.id, row.state) for row in rooms.hands.proposals()],
        "events": [(event.event_id, event.state) for event in rooms.events.book.events.values()],
        "paused": set(SuspendedJobs(host.state).read()),
    }


async def test_the_second_host_goes_on_in_all_that_was_set_on_the_first(
    start: Start, plant: Any, cluster: Any
) -> None:
    plant.values[RATE] = 100.0
    first, second = await start("a:1"), await start("b:1")
    await cycles(first, plant)
    assert (first.may_act(), second.may_act()) == (True, False)
    await people_work(first, plant, cluster)
    before = known(first)
    assert before["mode"][0] == "auto"
    assert before["proposals"]
    assert before["events"]
    assert before["paused"] == {"runs"}
    assert known(second) != before
    done = [row for row in first.records.actions() if row.result == "done"]
    ids = {str(row.params["command_id"]) for row in done if "command_id" in row.params}
    await second.takes_over()
    assert known(second) == before
    assert ids
    assert ids <= second.loop.acting.executor._earlier
    told = [alarm.code for alarm in second.loop.engine.listed()]
    assert "took_over" in told
    await cycles(second, plant)
    assert plant.writes[-1].value == 40.0  # what a person holds is kept, by the new writer
    assert plant.writes[-1].epoch == second.lease.epoch > first.lease.epoch


async def test_hands_off_of_the_first_host_holds_on_the_second(
    start: Start, plant: Any, cluster: Any
) -> None:
    plant.values[RATE] = 100.0
    first, second = await start("a:1"), await start("b:1")
    await people_work(first, plant, cluster)
    handsoff.turn_on(first.state, "local:ada", "smoke")  # as the command line does, with no control asked
    await cycles(first, plant)
    sent = len(plant.writes)
    await second.takes_over()
    said = handsoff.read(second.state)
    assert said is not None
    assert (said.who, said.why) == ("local:ada (a)", "smoke")
    await cycles(second, plant, 2)
    assert len(plant.writes) == sent
    second.rooms.hands.hands_off(False, "ada", "all clear", plant.clock.now())
    await cycles(second, plant, 2)
    assert len(plant.writes) > sent
    assert second.records.rows(select(HandsOffRow).where(HandsOffRow.on)) == []


async def test_who_is_not_the_writer_changes_nothing_and_says_so(
    start: Start, plant: Any, cluster: Any
) -> None:
    plant.values[RATE] = 100.0
    first = await start("a:1")
    await people_work(first, plant, cluster)
    second = await start("b:1")
    await start("c:1")  # it only waits: how it was started is nobody's wish
    now = plant.clock.now()
    ((proposal_id, _), *_), (event_id, _) = known(second)["proposals"], known(second)["events"][0]
    request = EventRequest(EventKind.CAP, "operator", "eve", limit_w=900e3)
    for refused in (
        lambda: second.rooms.modes.change("auto", "eve", "x", now),
        lambda: second.rooms.hands.decline(proposal_id, "eve", "x", now),
        lambda: second.rooms.hands.release(*RATE, "eve", "x", now),
        lambda: second.rooms.events.open(request),
        lambda: second.rooms.events.cancel(event_id, "eve"),
    ):
        with pytest.raises(CommandError, match="Another control process"):
            refused()
    first.rooms.events.cancel(event_id, "ada")
    first.rooms.hands.decline(proposal_id, "ada", "no", now)
    cancelled = known(first)["events"]
    for _ in range(3):
        plant.run(600)  # past the life of the proposal that it knew
        await second.loop.cycle()
    await second.takes_over()
    assert known(second)["events"] == cancelled
    assert second.rooms.modes.mode == "auto"
    assert proposal_id not in {row.id for row in second.rooms.hands.proposals()}
    (row,) = second.records.rows(text("SELECT state FROM proposals WHERE state = 'declined'"))
    assert row == "declined"


async def test_a_restart_on_the_same_host_has_its_own_mode(start: Start, plant: Any, cluster: Any) -> None:
    plant.values[RATE] = 100.0
    first = await start("a:1")
    await people_work(first, plant, cluster)
    again = await start("a:2")
    await again.takes_over()
    assert again.rooms.modes.mode == "observe"
    assert known(again)["overrides"] == known(first)["overrides"]


async def test_what_can_not_be_read_keeps_everybody_from_acting(start: Start, plant: Any) -> None:
    first, second = await start("a:1"), await start("b:1")
    with first.records.engine.begin() as connection:
        connection.execute(text("ALTER TABLE proposals RENAME TO away"))
    async with asyncio.timeout(WITHIN_S):
        while not second.lease.take():
            await asyncio.sleep(0.02)
    second.loop.catch_up()
    assert not second.may_act()
    with first.records.engine.begin() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO proposals"))
    second.loop.catch_up()
    assert second.may_act()


async def test_rows_that_can_not_be_read_are_left_out_and_the_others_taken_over(
    start: Start, plant: Any, cluster: Any
) -> None:
    plant.values[RATE] = 100.0
    first, second = await start("a:1"), await start("b:1")
    await cycles(first, plant)
    await people_work(first, plant, cluster)
    whole = first.rooms.events.open(EventRequest(EventKind.CAP, "operator", "ada", limit_w=950e3))
    before = known(first)
    (newer, _), *_ = before["events"]
    (strange, _), *others = before["proposals"]
    with first.records.engine.begin() as connection:
        for statement in (
            "UPDATE events SET detail = replace(detail::text, '\"cap\"', '\"island\"')::json WHERE id = :id",
            "UPDATE proposals SET command = replace(command::text, '\"jobs\"', '\"tides\"')::json"
            " WHERE id = :id",
        ):
            connection.execute(text(statement), {"id": newer if "events" in statement else strange})
    await second.takes_over()
    after = known(second)
    assert [name for name, _ in after["events"]] == [whole.event_id]
    assert strange not in dict(after["proposals"])  # what is still wanted is proposed anew
    assert set(others) <= set(after["proposals"])
    assert {name: after[name] for name in ("mode", "overrides", "paused")} == {
        name: before[name] for name in ("mode", "overrides", "paused")
    }
    (alarm,) = [one for one in second.loop.engine.listed() if one.code == "rows_unread"]
    assert {newer in str(alarm.params), strange in str(alarm.params)} == {True}
    third = await start("c:1")  # and so does one that is only started
    assert [name for name, _ in known(third)["events"]] == [whole.event_id]
    await cycles(second, plant)
    kept = text("SELECT count(*) FROM events WHERE id = :id AND detail::text LIKE '%island%'")
    with first.records.engine.begin() as connection:
        assert connection.execute(kept, {"id": newer}).scalar_one() == 1


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    opened = Records.open(tmp_path / "state.sqlite")
    yield opened
    opened.close()


def test_the_mode_that_counts_is_the_one_that_the_other_host_ran_in(records: Records) -> None:
    old = Modes(records, "observe", None, T0, "run-a")
    old.change("auto", "ada", "x", T0)
    ours = Modes(records, "observe", None, T0 + HOUR, "run-b", {"cooling": "observe"}, writer=False)
    ours.take_over(T0 + HOUR)
    assert (ours.mode, ours.of("cooling"), ours.view().by) == ("auto", "observe", "ada")
    back = Modes(records, "observe", None, T0 + 2 * HOUR, "run-c", writer=False)
    ours.change_class(ActuatorClass.BATTERY, "advise", "ada", T0 + 2 * HOUR)
    back.take_over(T0 + 3 * HOUR)  # its own start, though newer, is no wish of anybody's
    assert (back.mode, back.of("battery"), back.of("cooling")) == ("auto", "advise", "observe")


def test_the_other_host_s_own_start_counts_and_a_forced_run_only_observes(records: Records) -> None:
    Modes(records, "observe", None, T0, "run-a").change("auto", "ada", "x", T0)
    ours = Modes(records, "observe", None, T0 + HOUR, "run-b", writer=False)
    Modes(records, "observe", None, T0 + HOUR, "run-a2")  # it was started again, and observed
    ours.take_over(T0 + 2 * HOUR)
    assert ours.mode == "observe"
    Modes(records, "auto", None, T0 + 2 * HOUR, "run-a3")
    forced = Modes(records, "auto", "no simulator", T0 + 2 * HOUR, "run-d", writer=False)
    forced.take_over(T0 + 3 * HOUR)
    assert forced.mode == "observe"


def test_what_hosts_that_only_wait_would_do_is_nobody_s_wish(records: Records) -> None:
    writer = Modes(records, "auto", None, T0, "run-a")
    writer.change("observe", "ada", "x", T0)
    for run in ("run-b1", "run-b2"):
        waits = Modes(records, "auto", None, T0 + HOUR, run, writer=False)
    assert Modes(records, "auto", None, T0 + HOUR, "run-a").mode == "observe"  # a part that is started again
    waits.take_over(T0 + 2 * HOUR)
    assert (waits.mode, waits.view().by) == ("observe", "ada")


def test_a_wish_on_the_waiting_host_does_not_end_the_writer_s(records: Records) -> None:
    Modes(records, "auto", None, T0, "run-a").change("observe", "ada", "x", T0)
    Modes(records, "auto", None, T0, "run-b")
    assert Modes(records, "auto", None, T0 + HOUR, "run-a").mode == "observe"
    assert Modes(records, "auto", None, T0 + HOUR, "run-b").mode == "auto"
    Modes(records, "auto", None, T0, "run-c").change("advise", "ada", "x", T0)
    assert Modes(records, "auto", None, T0 + HOUR, "run-b").mode == "advise"


def test_a_host_that_begins_to_act_in_its_own_mode_tells_the_next_one(records: Records) -> None:
    Modes(records, "auto", None, T0, "run-a")
    again = Modes(records, "observe", None, T0 + HOUR, "run-a2", writer=False)  # its lease still ran
    again.stand(T0 + HOUR)
    again.stand(T0 + HOUR)
    other = Modes(records, "auto", None, T0 + HOUR, "run-b", writer=False)
    other.take_over(T0 + 2 * HOUR)
    assert other.mode == "observe"
    assert len(records.rows(select(ModeRow))) == 3
