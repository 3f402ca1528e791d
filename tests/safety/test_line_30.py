"""30. A full audit disk has a defined answer, with a warning first."""

import asyncio
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from igoudar.control import service
from igoudar.control.client import ApiClient
from igoudar.control.client_hands import HandsApi
from igoudar.control.records.audit import verify
from igoudar.control.records.opening import open_records
from igoudar.core import handsoff
from igoudar.core.errors import LinkError
from igoudar.core.model_people import Auditing
from tests.control.conftest import clock, cluster, lab, plant, serve_http, state  # noqa: F401 - fixtures

WAIT_S = 30.0
IN_TIME = timedelta(hours=10)  # before its latest start, after the end of the test
NEVER = 1 << 60  # bytes: more than any disk has free
LOW, FULL = Auditing(low_bytes=NEVER, full_bytes=0), Auditing(low_bytes=NEVER, full_bytes=NEVER)
ROOT = Path(__file__).resolve().parents[2]


@asynccontextmanager
async def control(lab: Any, plant: Any, state: Path, audit: Auditing) -> AsyncIterator[ApiClient]:  # noqa: F811
    """The whole control part, in auto, on a disk that is as full as the site file says."""
    found: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    plant.powers["pv"] = plant.powers["wind"] = 0.0
    plant.run(60)
    part = service.run(
        replace(lab.site, audit=audit),
        lab.profiles,
        plant.clock,
        state,
        api_port=0,
        mode="auto",
        ready=found.set_result,
    )
    task = asyncio.create_task(part)
    await found
    try:
        with ApiClient.of_state(state) as api:
            yield api
    finally:
        task.cancel()
        await asyncio.wait((task,))


async def until(api: ApiClient, plant: Any, holds: Callable[[ApiClient], bool]) -> None:  # noqa: F811
    """Let site time pass until it holds."""

    def asked() -> bool:
        try:
            return holds(api)
        except LinkError:
            return False

    end = time.monotonic() + WAIT_S
    while not await asyncio.to_thread(asked):
        assert time.monotonic() < end
        plant.run(10)
        await asyncio.sleep(0.05)


def alarms(api: ApiClient) -> set[str]:
    return {alarm.text.code.removeprefix("alarms.") for alarm in api.alarms().alarms}


async def test_line_30_the_warning_comes_while_everything_still_works(
    lab: Any,  # noqa: F811
    plant: Any,  # noqa: F811
    cluster: Any,  # noqa: F811
    state: Path,  # noqa: F811
) -> None:
    async with control(lab, plant, state, LOW) as api:
        await until(api, plant, lambda client: "audit_low" in alarms(client))
        cluster.add("job-1", begin_at=plant.clock.now() + IN_TIME)
        await until(api, plant, lambda _: ("delay", "job-1") in [call[:2] for call in cluster.calls])
        assert "audit_full" not in await asyncio.to_thread(alarms, api)


async def test_line_30_when_full_automation_begins_nothing_and_people_still_can(
    lab: Any,  # noqa: F811
    plant: Any,  # noqa: F811
    cluster: Any,  # noqa: F811
    state: Path,  # noqa: F811
) -> None:
    cluster.add("job-1", begin_at=plant.clock.now() + IN_TIME)
    async with control(lab, plant, state, FULL) as api:
        await until(api, plant, lambda client: {"audit_low", "audit_full"} <= alarms(client))
        await until(api, plant, lambda client: "rejected: audit_full" in [a.result for a in client.actions()])
        assert cluster.calls == []
        held = await asyncio.to_thread(api.job_action, "job-1", "hold", "by hand")
        assert held.result == "done"
        freed = await asyncio.to_thread(api.job_action, "job-1", "release", "by hand")
        assert freed.result == "done"
        assert [call[:2] for call in cluster.calls] == [("delay", "job-1"), ("release", "job-1")]
        handsoff.turn_on(state, "ada", "drill")
        assert handsoff.is_on(state)


async def test_line_30_a_database_that_refuses_the_audit_does_not_end_control(
    lab: Any,  # noqa: F811
    plant: Any,  # noqa: F811
    cluster: Any,  # noqa: F811
    state: Path,  # noqa: F811
) -> None:
    """Not a full disk but a refusal: what has begun goes on, nothing new is begun, no line is lost."""
    async with control(lab, plant, state, Auditing()) as api:
        await until(api, plant, lambda client: client.status().pue is not None)
        rename(state, "actions", "away")
        await asyncio.to_thread(HandsApi(api).set_hands_off, True, "drill")
        assert handsoff.is_on(state)
        await asyncio.to_thread(HandsApi(api).set_hands_off, False, "drill is over")
        await until(api, plant, lambda client: "audit_full" in alarms(client))
        cluster.add("job-1", begin_at=plant.clock.now() + IN_TIME)
        before = await asyncio.to_thread(api.status)
        await until(api, plant, lambda client: client.status().time > before.time + timedelta(minutes=5))
        assert cluster.calls == []
        rename(state, "away", "actions")
        await until(api, plant, lambda _: ("delay", "job-1") in [call[:2] for call in cluster.calls])
        told = [(row.verb, row.after) for row in await asyncio.to_thread(api.actions)]
        assert ("hands_off", "on") in told
        assert ("hands_off", "off") in told
    records = open_records(Auditing(), state)
    assert verify(records).whole
    records.close()


def rename(state: Path, before: str, after: str) -> None:  # noqa: F811
    with closing(sqlite3.connect(state / "state.sqlite", timeout=30)) as database:
        database.execute(f"ALTER TABLE {before} RENAME TO {after}")
        database.commit()


FULL_DISK = """
import resource, sys
from datetime import timedelta
from pathlib import Path
from igoudar.control.records.audit import verify
from igoudar.control.records.opening import open_records
from igoudar.control.records.room import AuditRoom
from igoudar.core.model_people import Auditing
from tests.control.records.lines import action

state = Path(sys.argv[1])
records = open_records(Auditing(), state)
records.add([action("before")])
room = AuditRoom(records, state, 0, 0)
assert not room.look().full
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
for n in range(300):
    records.add([action(f"job-{n}", params={"text": "x" * 4000})])
assert room.look().full and room.look().why, room.look()
assert records.waiting > 0
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
records.add([action("after")])
assert records.waiting == 0 and not room.look().full, (records.waiting, room.look())
print(verify(records).whole, verify(records).end.number, verify(records).anchored)
records.close()
"""


def test_line_30_a_disk_that_really_refuses_loses_no_line_and_says_so(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.stdout.split() == ["True", "302", "302"], done.stderr
