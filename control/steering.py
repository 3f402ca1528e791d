"""What the loop decides for the jobs: the plan, the greedy rules beneath it, and safe when blind."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from igoudar.control import dispatch as seen_now
from igoudar.control.actuation.schedulers import Queue
from igoudar.control.failsafe.suspended import Suspended
from igoudar.control.ledger import Books, Ledger
from igoudar.control.picture import Powers
from igoudar.control.plan_pauses import Instant, PlanPauses
from igoudar.control.plan_service import InForce, PlanService
from igoudar.control.planner import past
from igoudar.control.planner.ask import Ask, Plan
from igoudar.control.planner.dimming import Dimmed, Dimming
from igoudar.control.planner.frame import (
    epoch,
    ours,
    view,
    with_ceilings,
    with_pauses,
    with_warmer,
    without_caps,
)
from igoudar.control.planning.dispatch import Guidance, Steady, dispatch
from igoudar.control.planning.pauses import Crowd
from igoudar.control.planning.policies import fail_safe
from igoudar.control.planning.policy import Ceiling, View, Why
from igoudar.control.planning.requests import Decision, JobRequest, Supply
from igoudar.control.planning.setpoint import Warmth
from igoudar.core.model import JobState, Site

WORTH_STEPS = 4  # a dip of the plan is worth a stop when it lasts an hour: a stop costs ten minutes
BLIND_CYCLES = 20  # without good telemetry before everything is let go
NO_COOLING = Why("planner.note_cooling")  # the site lets the plan move a setpoint, and none can be moved now
NO_CAPS, NO_PAUSES = Why("planner.note_caps"), Why("planner.note_pauses")  # what the plan leaves to events


@dataclass(frozen=True, slots=True)
class Moment:
    """What one cycle knows of the site."""

    now: datetime
    powers: Powers
    soc_pct: float | None
    pue: float | None
    fresh: bool
    blind: int  # cycles without good telemetry
    cycle_s: float
    first_good_at: datetime | None


@dataclass(slots=True)
class Steering:
    """Decides each cycle; asks for a new plan when it is time.

    Args:
        announced: Limits in time that events have told, seconds from the instant given.
        caps_stand: Whether the plan's caps are carried out, so that it may reckon with them.
        warmer: How much warmer the cooling's supply may be, where the plan moves it.
        pauses: The plan's, where the site lets it pause jobs.
        dimmed: What standing caps, whosever they are, leave of the racks' power.
        dimming: The same over the last two days.
    """

    site: Site
    ledger: Ledger
    books: Books
    planner: PlanService
    announced: Callable[[datetime], tuple[Ceiling, ...]] = field(default=lambda zero: ())
    caps_stand: Callable[[], bool] = bool
    pauses: PlanPauses | None = None
    steady: Steady = field(default_factory=Steady)
    warmer: Callable[[], Warmth | None] = lambda: None
    dimmed: Callable[[], Dimmed] = dict
    dimming: Dimming = field(default_factory=Dimming)

    def decide(self, moment: Moment, queue: Queue, left_alone: Collection[str]) -> Sequence[Decision]:
        """One decision per flexible waiting job, and those jobs that are paused."""
        self.dimming.note(moment.now, queue.jobs, self.dimmed())
        waiting = seen_now.requests(queue, self.site, moment.pue, set(left_alone))
        waiting += self._paused(moment, queue, left_alone)
        if moment.blind >= BLIND_CYCLES:
            return fail_safe(moment.now, waiting)
        if moment.fresh and self.planner.due(moment.now):
            self.planner.ask(self._ask(moment, queue, left_alone), moment.now)
        oldest = moment.powers.oldest
        age_s = (moment.now - oldest).total_seconds() if oldest else 0.0
        supply = self._supply(moment, queue)
        running = seen_now.occupants(queue, self.site, moment.pue, {job.job_id for job in waiting})
        margins, guidance = seen_now.margins(moment.cycle_s, age_s), self._guidance(moment, queue)
        decisions, self.steady = dispatch(supply, running, waiting, margins, guidance, self.steady)
        if self.pauses is None:
            return decisions
        crowd = Crowd(moment.now, supply.gpus, running, waiting, margins)
        return [*decisions, *self.pauses.next(self._instant(moment, guidance), queue, crowd, left_alone)]

    def _paused(self, moment: Moment, queue: Queue, left_alone: Collection[str]) -> list[JobRequest]:
        """Jobs that stand by the plan's wish and may go on."""
        if self.pauses is None:
            return []
        self.pauses.look(queue, moment.now, left_alone)
        rested = moment.blind < BLIND_CYCLES
        return self.pauses.waiting(queue, moment.now, moment.pue, rested=rested)

    def _supply(self, moment: Moment, queue: Queue) -> Supply:
        found = seen_now.supply(moment.powers, queue, self.site, moment.pue, moment.now, moment.fresh)
        if self.pauses is None or found.surplus_w is None:
            return found
        unmetered_w = self.pauses.unmetered_w(queue, moment.powers.oldest, moment.pue)
        return replace(found, surplus_w=found.surplus_w - unmetered_w)

    def _instant(self, moment: Moment, guidance: Guidance | None) -> Instant:
        """What pauses go by: the newest plan where it wants fewer for long enough, and good meters."""
        force = self.planner.in_force(moment.now)
        newest = force.plan if force.source == "optimal" else None
        most = wanted_gpus(newest, moment, self.site, WORTH_STEPS) if newest else None
        import_w = moment.powers.grid_w if moment.fresh else None
        lasting = replace(guidance, gpus=most) if guidance and most is not None else None
        return Instant(lasting, import_w, moment.pue, moment.cycle_s)

    def in_force(self, now: datetime, queue: Queue | None) -> InForce:
        """The plan in force, and what it reckons with."""
        if queue is None:
            return InForce("none", Why("control.no_scheduler"))
        return self.planner.in_force(now)

    @property
    def paused(self) -> Mapping[str, Suspended]:
        """Jobs that stand by the plan's wish."""
        return self.pauses.paused if self.pauses else {}

    def _ask(self, moment: Moment, queue: Queue, left_alone: Collection[str]) -> Ask:
        pauses = self.pauses
        jobs = ours(queue, left_alone, pauses.paused if pauses else ())
        margins = seen_now.margins(moment.cycle_s, 0.0)
        counted = past.used(self.ledger, self.books, moment.now)
        found, notes = view(
            moment.now,
            self.site,
            queue,
            jobs,
            moment.powers,
            moment.pue,
            moment.soc_pct,
            counted,
            margins,
            self.dimmed(),
        )
        found, notes = self._cooled(found, notes)
        caps = self.caps_stand()
        found = found if caps else without_caps(found)
        if pauses is not None:
            found = with_pauses(found, {job.job_id for job in pauses.able(queue, moment.now, left_alone)})
        return Ask(
            view=with_ceilings(found, self.announced(epoch(moment.now))),
            most={"pv": self.site.solar.ac_w, "wind": self.site.wind.ac_w, "urgent": self.site.it_w},
            seen=past.seen(
                self.ledger,
                self.books,
                queue,
                found,
                pauses.stopped(moment.now) if pauses else (),
                self.dimming.ratios,
            ),
            arrivals_gpu_s=past.arrivals_gpu_s(queue, moment.now, moment.first_good_at),
            notes=(*notes, *(() if caps else (NO_CAPS,)), *(() if pauses else (NO_PAUSES,))),
        )

    def _cooled(self, found: View, notes: tuple[Why, ...]) -> tuple[View, tuple[Why, ...]]:
        """A view whose plan may move the cooling's setpoint, where the site lets it."""
        supply, warmth = self.site.plan.cooling, self.warmer()
        if supply is None:
            return found, notes
        if warmth is None:
            return found, (*notes, NO_COOLING)
        return with_warmer(found, supply, warmth), notes

    def _guidance(self, moment: Moment, queue: Queue) -> Guidance | None:
        plan = self.planner.in_force(moment.now).plan
        gpus = wanted_gpus(plan, moment, self.site) if plan else None
        if gpus is None:
            return None
        busy = sum(job.gpus for job in queue.jobs if job.flexible and _busy(job.state, job.begin_at, moment))
        return Guidance(gpus, busy)


def wanted_gpus(plan: Plan, moment: Moment, site: Site, steps: int = 1) -> float | None:
    """The plan's GPUs, more or fewer by what the present supply differs from the one it expected.

    Of several steps from now on the most.
    """
    step, supply_w = plan.step(moment.now), moment.powers.renewable_w
    if step is None or supply_w is None:
        return None
    apart_w = supply_w - float(plan.powers["supply_p50_w"][step])
    gpu_w = seen_now.gpu_power_w(site) * (moment.pue or seen_now.DEFAULT_PUE)
    planned = float(plan.gpus[step : step + steps].max())
    return max(0.0, planned + apart_w / gpu_w) if gpu_w else None


def _busy(state: JobState, begin_at: datetime | None, moment: Moment) -> bool:
    """Runs, or starts by itself as soon as it finds GPUs."""
    if state is JobState.RUNNING:
        return True
    return state is JobState.WAITING and (begin_at is None or begin_at <= moment.now)
