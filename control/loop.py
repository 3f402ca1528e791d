"""The cycle: one frozen picture -> KPIs -> policy -> action as the mode allows -> record -> views."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from igoudar.control.acting import Acting
from igoudar.control.actuation.schedulers import Queue, RunNowReference, Scheduler
from igoudar.control.actuation.sight import Sight, by_id
from igoudar.control.alarms.digest import Digest
from igoudar.control.alarms.engine import AlarmEngine
from igoudar.control.alarms.notify import Notifier
from igoudar.control.demand_response.events import Events
from igoudar.control.demand_response.seen import Look
from igoudar.control.kpi import pue
from igoudar.control.ledger import Books, Ledger, note_picture
from igoudar.control.mode import Modes
from igoudar.control.operator import Operator
from igoudar.control.picture import Picture, Powers, powers, soc_pct
from igoudar.control.planning.requests import Decision
from igoudar.control.records.state import Records
from igoudar.control.roster import Roster
from igoudar.control.scene import Scene
from igoudar.control.series import day_series, mean_powers
from igoudar.control.steering import Moment, Steering
from igoudar.control.telemetry import Telemetry
from igoudar.control.trends import Trends
from igoudar.control.views.racks import worst_inlet
from igoudar.control.views.tiles import data_quality, waiting_jobs
from igoudar.control.windows import QUARTER, energy_series, latest_window, pue_view, share_view
from igoudar.core.clock import Clock, control_cycle_s
from igoudar.core.errors import CommandError, LinkError

BUSY_SHARE = 3.0  # a cycle takes at most a quarter of one core on a large site
DAY = timedelta(days=1)
TREND_EDITIONS = {"pue": pue.EDITION}


@dataclass(slots=True)
class Loop:
    """One site's control loop; built by the service, driven by `run` or by a test's `cycle`."""

    roster: Roster
    clock: Clock
    telemetry: Telemetry
    scheduler: Scheduler
    reference: RunNowReference | None
    records: Records
    modes: Modes
    operator: Operator
    acting: Acting
    events: Events
    steering: Steering
    engine: AlarmEngine
    notifier: Notifier
    digest: Digest
    ledger: Ledger
    books: Books
    trends: Trends
    parts: Callable[[], Mapping[str, Mapping[str, object]]]
    publish: Callable[[Scene], None]
    beat: Callable[[float], object] = field(default=lambda period_s: None)  # to the failsafe
    catch_up: Callable[[], object] = field(default=lambda: None)  # with what another host left
    absorb: Callable[[], object] = field(default=lambda: None)  # what the failsafe did meanwhile
    simulated: bool = True
    first_good_at: datetime | None = None
    unheard: str = ""  # what is wrong with the scheduler's list of jobs
    _blind: int = 0
    _scene: Scene | None = None
    _run_now: dict[datetime, float] = field(default_factory=dict)

    @property
    def cycle_s(self) -> float:
        """Length of a cycle [s of site time]."""
        return control_cycle_s(self.clock.speed)

    async def run(self) -> None:
        """Cycle until cancelled."""
        while True:
            began, busy_from = time.monotonic(), time.process_time()
            await self.cycle()
            spent_s, busy_s = time.monotonic() - began, time.process_time() - busy_from
            # Waiting for others is no work of ours: a slow scheduler must not slow down an emergency.
            rest_s = max(self.cycle_s / self.clock.speed - spent_s, BUSY_SHARE * busy_s)
            self.beat(spent_s + rest_s)
            await self._rest(rest_s)

    async def _rest(self, rest_s: float) -> None:
        """Until the next cycle is due, or an event begins, ends or is asked for."""
        due_s = self.events.book.due_s(self.clock.now())
        if due_s is not None and self.events.held():  # else it is due for the writer, not for us
            rest_s = min(rest_s, due_s / self.clock.speed)
        with suppress(TimeoutError):
            await asyncio.wait_for(self.events.wake.wait(), rest_s)

    async def cycle(self) -> None:
        """One cycle on one picture."""
        self.catch_up()
        self.absorb()
        picture = await self.telemetry.picture(self.clock.now())
        note_picture(self.ledger, self.books, picture)
        self._mark_first(picture)
        plant = powers(picture, self.roster)
        fresh = self._fresh(picture, plant)
        queue = await self._queue(picture.at)
        moment = self._moment(picture, plant, fresh)
        decisions = self._decide(moment, queue)
        sight = Sight(self.roster, picture, by_id(queue), moment.pue)
        await self.acting.prepare(sight, picture.at)
        await self.events.cycle(Look(picture, queue, self.operator.overrides, moment.pue, self.cycle_s))
        decisions = self.events.admitted(decisions)
        plan = self.steering.in_force(picture.at, queue).plan
        await self.acting.act(sight, moment, decisions, queue, plan.version if plan else "")
        await self._alarms(picture)
        self._show(picture, plant, queue, decisions, fresh)

    def _mark_first(self, picture: Picture) -> None:
        if self.first_good_at is None and picture.last_good:
            self.first_good_at = min(picture.last_good.values())

    def _fresh(self, picture: Picture, plant: Powers) -> bool:
        """Whether the meters that tell the surplus are all answering; counts the blind cycles."""
        roles = ("pv", "wind", "transformer")
        meters = [device for role in roles for device in self.roster.meters.get(role, ())]
        ages = [(picture.age_s(device.name), self.roster.stale_s(device)) for device in meters]
        heard = all(age_s is not None and age_s <= limit_s for age_s, limit_s in ages)
        fresh = heard and not picture.lost and plant.surplus_w is not None
        self._blind = 0 if fresh or self.first_good_at is None else self._blind + 1
        return fresh

    async def _queue(self, now: datetime) -> Queue | None:
        try:
            queue = await self.scheduler.queue(finished_since=now - DAY)
            if self.reference is not None:
                self._run_now = dict(await self.reference.run_now_load())
        except (LinkError, CommandError) as error:
            self.unheard = str(error)
            return None  # shown as no data; the next cycle asks again
        self.unheard = ""
        return queue

    def _decide(self, moment: Moment, queue: Queue | None) -> Sequence[Decision]:
        return () if queue is None else self.steering.decide(moment, queue, self.operator.overrides)

    def _moment(self, picture: Picture, plant: Powers, fresh: bool) -> Moment:
        return Moment(
            picture.at,
            plant,
            soc_pct(picture, self.roster),
            self._ratio(),
            fresh,
            self._blind,
            self.cycle_s,
            self.first_good_at,
        )

    def _ratio(self) -> float | None:
        return self._scene.pue.value if self._scene else None

    async def _alarms(self, picture: Picture) -> None:
        raised = self.engine.evaluate(picture, self.parts())
        self.notifier.post(self.digest.take(raised, picture.at))

    def _show(
        self,
        picture: Picture,
        plant: Powers,
        queue: Queue | None,
        decisions: Sequence[Decision],
        fresh: bool,
    ) -> None:
        now, ledger, books = picture.at, self.ledger, self.books
        quarter = latest_window(ledger, (*books.of("transformer"), *books.of("it")), now, QUARTER)
        supply = latest_window(ledger, energy_series(books), now, QUARTER)
        scene = Scene(
            roster=self.roster,
            picture=picture,
            powers=plant,
            soc_pct=soc_pct(picture, self.roster),
            mode=self.modes.view(),
            simulated=self.simulated,
            queue=queue,
            decisions={decision.job_id: decision for decision in decisions},
            overrides=dict(self.operator.overrides),
            alarms=tuple(self.engine.listed()),
            day=day_series(ledger, books, now),
            means=mean_powers(ledger, books, max(60.0, 3 * self.clock.speed)),
            histories={name: self.trends.history(name, now) for name in self.trends.values},
            pue=pue_view(ledger, books, now - DAY, now),
            pue_now=pue_view(ledger, books, *quarter),
            renewable_share=share_view(ledger, books, now - DAY, now),
            renewable_share_now=share_view(ledger, books, *supply),
            run_now=self._run_now,
            parts={name: str(part.get("state")) for name, part in self.parts().items()},
            first_good_at=self.first_good_at,
            notifications=self.notifier.count,
            fresh=fresh,
            plan=self.steering.in_force(now, queue),
            paused=self.steering.paused,
            config_version=self.acting.executor.chronicle.config_version,
        )
        self._scene = scene
        self._note_trends(scene)
        self.publish(scene)

    def _note_trends(self, scene: Scene) -> None:
        worst = worst_inlet(scene)
        self.trends.note("battery", scene.now, scene.soc_pct)
        self.trends.note("worst_inlet", scene.now, worst[1] if worst else None)
        self.trends.note("jobs_waiting", scene.now, waiting_jobs(scene))
        self.trends.note("data_quality", scene.now, data_quality(scene))
        self.trends.note("pue", scene.now, scene.pue_now.value)
        self.trends.note("renewable_share", scene.now, scene.renewable_share_now.value)
        closed = self.trends.take_closed(TREND_EDITIONS)
        if closed:
            self.records.merge(closed)
            self.records.prune(scene.now - 2 * DAY)
