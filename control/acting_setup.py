"""Builds what stands between wishes and the world: guard, links, proposals, overrides, the record."""

from collections.abc import Callable
from pathlib import Path

from igoudar.control.acting import Acting, Asks, life_of
from igoudar.control.actuation.cap_client import CapClient
from igoudar.control.actuation.cap_watch import CapWatch
from igoudar.control.actuation.caps import CapAgentLink, CapsLink
from igoudar.control.actuation.chronicle import Chronicle
from igoudar.control.actuation.command import ActuatorClass
from igoudar.control.actuation.executor import Executor, Link
from igoudar.control.actuation.gate import Gate
from igoudar.control.actuation.guard.rules import rules
from igoudar.control.actuation.links import CollectLink, SchedulerLink
from igoudar.control.actuation.mandate import Mandate
from igoudar.control.actuation.memory import Memory
from igoudar.control.actuation.overrides import Overrides
from igoudar.control.actuation.plant import PlantOrders
from igoudar.control.actuation.power_budget import BudgetOrders
from igoudar.control.actuation.proposals import Proposals
from igoudar.control.actuation.schedulers import Scheduler
from igoudar.control.actuation.sight import Sight
from igoudar.control.actuation.suspends import SuspendBook
from igoudar.control.failsafe.suspended import SuspendedJobs
from igoudar.control.lease import Lease
from igoudar.control.mode import Modes
from igoudar.control.picture import Picture
from igoudar.control.plan_caps import PlanCaps, caps_stand, dimmed
from igoudar.control.plan_cooling import PlanCooling, warmer
from igoudar.control.plan_service import PlanService
from igoudar.control.records.state import Records
from igoudar.control.roster import Roster
from igoudar.core.clock import Clock
from igoudar.core.model_caps import Capping

REMEMBERED = 2_000  # actions of an earlier life whose commands are not carried out again


def acting(
    plant: Roster,
    clock: Clock,
    state: Path,
    records: Records,
    scheduler: Scheduler,
    planner: PlanService,
    modes: Modes,
    lease: Lease,
    version: str,
    cycle_s: float,
    audit_ready: Callable[[], bool] = lambda: True,
    hot: Callable[[], bool] = bool,
) -> Acting:
    """All of it, for one site."""
    now = clock.now()
    memory, overrides = Memory(), Overrides.open(records, now)
    suspends = SuspendBook(records, SuspendedJobs(state))
    agents = cap_agents(plant.site.caps, state, clock, lease)
    gate = Gate(
        rules=rules(plant),
        modes=modes.classes,
        lease=lease,
        state=state,
        memory=memory,
        overrides=overrides,
        sight=Sight(plant, Picture(now, lost=True)),
        started_at=now,
        audit_ready=audit_ready,
    )
    executor = Executor(
        gate,
        links(state, scheduler, suspends, lease, clock, agents),
        Proposals.open(records, plant.site.guard.proposal_life_s, now),
        Chronicle(records, plant.site.time_zone, version),
        clock.now,
    )
    executor.carried_before(earlier(records))
    mandate = Mandate(_collect(state, lease), lease, modes.classes, overrides)
    life = life_of(cycle_s)
    orders = PlantOrders(plant, planner, memory, life)
    budget = BudgetOrders(
        plant.site,
        planner.in_force,
        memory,
        clock.speed,
        life,
        lambda: modes.of(ActuatorClass.JOBS) == "auto",
    )
    sources: list[Asks] = [orders]
    if plant.site.plan.caps:
        sources.append(PlanCaps(planner, memory, plant.site.emergency.cap_least_ratio, life))
    stand = caps_stand(plant.site, modes.of, lambda: executor.gate.sight)
    made = Acting(executor, mandate, suspends, budget, sources, stand)
    made.dimmed = lambda: dimmed(executor.gate.sight, memory, plant.site.emergency.cap_least_ratio)
    if plant.site.plan.cooling is not None:
        cooling = PlanCooling(plant.site.plan.cooling, planner, memory, gate.rules, life, hot)
        sources.append(cooling)
        made.warmer = warmer(cooling, modes.of, lambda: executor.gate.sight)
    return made


def links(
    state: Path,
    scheduler: Scheduler,
    suspends: SuspendBook,
    lease: Lease,
    clock: Clock,
    agents: CapAgentLink | None = None,
) -> dict[ActuatorClass, Link]:
    """Who carries which class; caps go to the nodes' agents, or to power shelves like any device."""
    collect = _collect(state, lease)
    devices = (
        ActuatorClass.BATTERY,
        ActuatorClass.CURTAILMENT,
        ActuatorClass.COOLING,
        ActuatorClass.LOADS,
        ActuatorClass.CAPS,
    )
    return {
        ActuatorClass.JOBS: SchedulerLink(scheduler, suspends, state, clock.now),
        **dict.fromkeys(devices, collect),
        **({ActuatorClass.CAPS: CapsLink(collect, agents)} if agents else {}),
    }


def cap_agents(capping: Capping, state: Path, clock: Clock, lease: Lease) -> CapAgentLink | None:
    """The way to the agents of the GPU nodes; None on a site that has none."""
    if not capping.agents:
        return None
    client = CapClient(capping)
    return CapAgentLink(capping, state, clock, client, epoch=lambda: lease.epoch, held=lease.held)


def cap_watch(acting: Acting, clock: Clock) -> CapWatch | None:
    """What looks after the agents' caps; None where there are no agents."""
    link = acting.executor.links.get(ActuatorClass.CAPS)
    if not isinstance(link, CapsLink):
        return None
    return CapWatch(link.agents, acting.executor.chronicle, clock.now)


def earlier(records: Records) -> set[str]:
    """Ids of the commands that were sent before this start."""
    rows = [row for row in records.actions(limit=REMEMBERED) if _was_sent(row.result)]
    sent = records.aside.understood(rows, lambda row: dict(row.params))
    return {str(params["command_id"]) for _, params in sent if "command_id" in params}


async def close(acting: Acting) -> None:
    """Drop the connections to the collector and to the cap agents."""
    for link in acting.executor.links.values():
        if isinstance(link, CollectLink | CapsLink):
            await link.close()
    await acting.mandate.end()
    await acting.mandate.collect.close()


def _was_sent(result: str) -> bool:
    return result == "done" or result.startswith(("partial", "failed"))


def _collect(state: Path, lease: Lease) -> CollectLink:
    return CollectLink(state / "collect.sock", lambda: lease.epoch)
