"""One of two hosts that both want the same plant: its collector, or its reckless control, as a real process.

python -m tests.safety.rival collect STATE PORT
python -m tests.safety.rival control STATE URL_FILE VALUE

The control never asks whether it may write: only its lease, as the collector knows it, stands in its way.
"""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path

from igoudar.collectors import gate, service
from igoudar.control.actuation.command import ActuatorClass, Command, Origin
from igoudar.control.actuation.links import CollectLink
from igoudar.control.actuation.mandate import Mandate
from igoudar.control.actuation.overrides import Overrides
from igoudar.control.lease import seen_epoch
from igoudar.control.lease.postgres import PostgresLease
from igoudar.control.records.opening import open_records
from igoudar.core.clock import wall_clock
from igoudar.core.model import Site
from igoudar.core.model_people import Auditing
from igoudar.core.model_writes import WriteRules
from igoudar.core.store.parquet import ParquetStore
from tests.collectors.rigs import device

from .plant import AUTO, INVERTER, with_rules

LEASE_S, GRACE_S = 1.0, 1.0  # wall; both hosts and their collectors agree on them
BEAT_S = 0.05


async def collect(state: Path, port: int) -> None:
    gate.LONGEST_WRITE_S = GRACE_S
    quick = with_rules(INVERTER, "limit_pct", every_s=0.0)
    address = f"modbus-tcp://127.0.0.1:{port}/1"
    inverter = device("inverter", quick, address, allow=frozenset({"limit_pct"}))
    site = Site("s", "S", 0.0, 0.0, 0.0, "UTC", (), (), (), (inverter,), writes=WriteRules(0.0))
    store = ParquetStore.open(state / "store")
    await service.run(site, {quick.name: quick}, {"inverter": address}, wall_clock(), store, state)


async def control(state: Path, url_file: Path, value: float) -> None:
    records = open_records(Auditing(url_file=str(url_file)), state)
    lease = PostgresLease(records.engine, partial(seen_epoch, state), LEASE_S, GRACE_S)
    tells, writes = (CollectLink(state / "collect.sock", lambda: lease.epoch) for _ in range(2))
    mandate = Mandate(tells, lease, lambda: AUTO, Overrides(records))
    keeping = asyncio.create_task(lease.keep())
    for number in count():
        await mandate.tell()
        result = await writes.carry(order(f"{value}-{number}", value + 5.0 * (number % 5)))
        print(type(result).__name__, flush=True)  # noqa: T201 - the test reads it
        await asyncio.sleep(BEAT_S)
        assert not keeping.done(), keeping


def order(name: str, value: float) -> Command:
    now = datetime.now(UTC)
    return Command(
        command_id=name,
        actuator=ActuatorClass.CURTAILMENT,
        target="inverter",
        point="limit_pct",
        issued_at=now,
        expires_at=now + timedelta(minutes=5),
        origin=Origin.PLAN,
        who="control",
        code="control.surplus",
        value=value,
    )


if __name__ == "__main__":
    role, folder, *rest = sys.argv[1:]
    if role == "collect":
        asyncio.run(collect(Path(folder), int(rest[0])))
    else:
        asyncio.run(control(Path(folder), Path(rest[0]), float(rest[1])))
