"""Commands as tests ask for them, and cycles of the loop that carry them out."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from igoudar.control.actuation.command import ActuatorClass, Command, Origin
from igoudar.control.actuation.executor import Outcome
from igoudar.control.loop import Loop

HOUR = timedelta(hours=1)
RATE = ("battery-1", "discharge_rate_pct")


def rate(now: Any, value: float | None = 40.0, **changed: Any) -> Command:
    """Bound the battery's discharge."""
    command = Command(
        command_id=f"rate-{value}",
        actuator=ActuatorClass.BATTERY,
        target=RATE[0],
        point=RATE[1],
        issued_at=now,
        expires_at=now + timedelta(minutes=5),
        origin=Origin.PLAN,
        who="control",
        code="plant.battery_keep",
        params={"power_w": 200e3},
        value=value,
    )
    return replace(command, **changed)


def water(now: Any, value: float, **changed: Any) -> Command:
    """Move the supply temperature of the cooling plant."""
    changes = {"actuator": ActuatorClass.COOLING, "target": "cooling-plant", "point": "setpoint_c"}
    return rate(
        now, value, **(changes | {"command_id": f"water-{value:g}", "code": "plant.let_go"} | changed)
    )


async def submit(loop: Loop, *commands: Command) -> list[Outcome]:
    """Through the executor, as anybody does."""
    return await loop.acting.executor.submit(commands, loop.clock.now())


async def turn(loop: Loop, plant: Any, count: int = 1, seconds: float = 30) -> None:
    """Cycles of the loop."""
    for _ in range(count):
        plant.run(seconds)
        await loop.cycle()


async def settle(loop: Loop, plant: Any, *, orders: bool = False) -> None:
    """Until the loop may touch the plant, with a battery and water that show what stands there.

    Without `orders` nobody but the test wants anything of the plant.
    """
    if not orders:
        loop.acting.sources.clear()
    plant.values.setdefault(RATE, 100.0)
    plant.values.setdefault(("cooling-plant", "setpoint_c"), 26.0)
    await turn(loop, plant, 4)
