"""Slurm as a scheduler: each wish is checked against the rules on a fresh listing, then becomes one verb."""

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import replace
from datetime import UTC, datetime

from igoudar.control.actuation.schedulers import Node, Queue, RefusedError
from igoudar.control.actuation.schedulers.slurm import rules, verbs
from igoudar.control.actuation.schedulers.slurm.batches import Batches, Build
from igoudar.control.actuation.schedulers.slurm.budget import WattBudget
from igoudar.control.actuation.schedulers.slurm.history import History
from igoudar.control.actuation.schedulers.slurm.jobs import SlurmJob
from igoudar.control.actuation.schedulers.slurm.known import Known
from igoudar.control.actuation.schedulers.slurm.listing import Listing
from igoudar.control.actuation.schedulers.slurm.marks import Mark, writable
from igoudar.control.actuation.schedulers.slurm.nodes import SlurmNode, read_nodes
from igoudar.control.actuation.schedulers.slurm.program import Programs
from igoudar.control.actuation.schedulers.slurm.start import check_cluster, check_file, check_qos
from igoudar.control.actuation.schedulers.slurm.times import WallTimes
from igoudar.core.clock import Clock
from igoudar.core.errors import CommandError, ConfigError, LinkError
from igoudar.core.model import Site

CHANGED = {
    "already completing or completed": "ended",
    "already finished": "ended",
    "invalid job id": "ended",
    "no longer pending": "not_waiting",
    "job is pending execution": "not_running",
    "job is not suspended": "not_suspended",
}


class SlurmScheduler:
    """One site's Slurm. It never cancels or holds a job, and touches only those that are flexible.

    Args:
        site: Its rules, its racks, and what nodes stand for.
        clock: The site's; Slurm lives on the wall.
        may: Why nothing may be changed at this moment, "" = it may; asked just before each change.
    """

    def __init__(self, site: Site, clock: Clock, may: Callable[[], str] = lambda: "") -> None:
        self._site, self._rules = site, site.scheduler
        self._programs = Programs(self._rules.slurm_conf, self._rules.programs, may=may)
        self._times = WallTimes(clock)
        self._history = History()
        self._listing = Listing(site, self._times, self._history)
        self._known, self._batches = Known(self._programs), Batches(self._programs)
        self._owner = ""  # SlurmUser, once the cluster has been checked
        self._checking = asyncio.Lock()

    async def start(self) -> None:
        """Check what can be checked; a Slurm that is down now is checked when it is back.

        Raises:
            ConfigError: what the site file says of it is not so.
        """
        check_file(self._rules)
        await check_qos(self._programs, self._rules)
        try:
            self._owner = await check_cluster(self._programs, self._rules)
        except LinkError:
            self._owner = ""

    async def queue(self, finished_since: datetime | None = None) -> Queue:
        """Waiting and running jobs, and those finished since a time."""
        await self._ready()
        jobs, nodes = await asyncio.gather(self._known.read(), self._nodes())
        self._history.learn(jobs)
        return self._listing.queue([(job, self._known.mark(job)) for job in jobs], nodes, finished_since)

    async def delay(self, job_id: str, until: datetime) -> None:
        """Let the job start by itself at `until`, or when its user wants it, if that is later."""
        at_s = int(self._times.wall_at(until).timestamp())
        now_s = self._times.now()[1]
        if at_s <= now_s:
            await self.release(job_id)
            return
        job = await self._known.job(job_id, lambda job: rules.check_begin(job, self._rules, at_s))
        mark = self._known.mark(job)
        ours, asked_s = mark.delayed(job.begin_s), _asked_s(job, mark, now_s)
        begin_s = max(at_s, asked_s)
        if not ours and asked_s >= at_s:
            return
        await self._begin(job, begin_s, replace(mark, at_s=begin_s, begin_s=asked_s))

    async def release(self, job_id: str) -> None:
        """Let the job start as soon as its GPUs are free, but not before its user wants it."""
        now_s = self._times.now()[1]
        job = await self._known.job(job_id, lambda job: self._check_release(job, now_s))
        mark = self._known.mark(job)
        if mark.delayed(job.begin_s):
            asked_s = mark.begin_s if mark.begin_s > now_s else 0
            await self._begin(job, asked_s, replace(mark, at_s=0, begin_s=0))

    async def suspend(self, job_id: str) -> None:
        """Stop the job where it stands; its work is kept. One that we stopped already stays as it is."""
        job = await self._known.job(job_id, self._check_suspend)
        if job.suspended:
            return
        mark = replace(self._known.mark(job), suspended=True)
        await self._remember(job, mark)
        await self._act(job, "suspend", lambda jobs: verbs.suspend(*jobs), mark)

    async def resume(self, job_id: str) -> None:
        """Go on with a suspended job."""
        job = await self._known.job(job_id, self._check_resume)
        await self._act(job, "resume", lambda jobs: verbs.resume(*jobs))
        mark = self._known.mark(job)
        if mark.suspended:
            await self._remember(job, replace(mark, suspended=False))

    async def requeue(self, job_id: str) -> None:
        """Back to the queue, from its beginning: only where its user has agreed to it."""
        job = await self._known.job(job_id, lambda job: rules.check_requeue(job, self._rules))
        await self._act(job, job.target, lambda jobs: verbs.requeue(*jobs))

    async def set_budget(self, watts: float, until: datetime) -> datetime:
        """Let no job start beyond `watts`, until then or for a quarter of an hour; until when it holds."""
        budget = await self._budget()
        jobs, standing = await asyncio.gather(self._known.read(), budget.look())
        rules.check_budget(jobs, self._rules)
        now = datetime.fromtimestamp(self._times.now()[1], UTC)
        end = await budget.set(watts, self._times.wall_at(until), now, standing)
        return self._times.site(end.timestamp())

    async def clear_budget(self) -> None:
        """No limit but the whole."""
        await (await self._budget()).clear()

    async def nodes(self) -> list[Node]:
        """The site's nodes, by name."""
        await self._ready()
        found, ours = await self._nodes(), self._rules.racks_of
        return [found[name].shown() for name in sorted(found) if not ours or name in ours]

    async def power_down(self, node: str) -> None:
        """Turn an idle and drained node off."""
        if not (await self._node(node)).idle_and_drained:
            raise RefusedError("not_drained", "only idle and drained nodes are turned off", where=node)
        await self._programs.run(verbs.power(node, up=False))

    async def power_up(self, node: str) -> None:
        """Turn a node on again."""
        if not (await self._node(node)).off:
            raise RefusedError("not_off", "it is not powered down", where=f"node {node}")
        await self._programs.run(verbs.power(node, up=True))

    async def _ready(self) -> None:
        async with self._checking:  # however many ask, one looks
            if self._owner:
                return
            try:
                self._owner = await check_cluster(self._programs, self._rules)
            except ConfigError as error:
                raise CommandError(error.what, where=error.where, fix=error.fix) from error

    async def _nodes(self) -> dict[str, SlurmNode]:
        return read_nodes(await self._programs.run(verbs.NODES))

    async def _node(self, name: str) -> SlurmNode:
        await self._ready()
        ours = self._rules.racks_of
        found = (await self._nodes()).get(name)
        if found is None or (ours and name not in ours):
            raise RefusedError("unknown_node", "no such node among the site's", where=f"node {name[:60]!r}")
        return found

    async def _budget(self) -> WattBudget:
        await self._ready()
        if not self._rules.watts_licence:
            fix = "name the licence that jobs ask of, as scheduler.watts_licence"
            raise RefusedError("no_budget", "this site has no power budget", where="scheduler", fix=fix)
        return WattBudget(self._programs, self._rules.watts_licence, self._owner)

    def _check_release(self, job: SlurmJob, now_s: float) -> None:
        rules.check_begin(job, self._rules, 0.0)
        rules.check_release(job, self._known.mark(job), now_s)

    def _check_suspend(self, job: SlurmJob) -> None:
        if not (job.suspended and self._known.mark(job).suspended):
            rules.check_suspend(job, self._rules)

    def _check_resume(self, job: SlurmJob) -> None:
        rules.check_resume(job, self._rules, self._known.mark(job))

    async def _begin(self, job: SlurmJob, begin_s: float, mark: Mark) -> None:
        at = datetime.fromtimestamp(begin_s, UTC) if begin_s else None
        text = mark.text() if writable(job.mark) else None
        await self._act(job, ("begin", at, text), lambda jobs: verbs.begin(at, text, *jobs), mark)

    async def _remember(self, job: SlurmJob, mark: Mark) -> None:
        if writable(job.mark):
            text = mark.text()
            await self._act(job, ("mark", text), lambda jobs: verbs.mark(text, *jobs))
        else:
            self._known.touch(job, mark)

    async def _act(self, job: SlurmJob, same: Hashable, build: Build, mark: Mark | None = None) -> None:
        await self._ready()
        try:
            await self._batches.run(same, job.target, build)
        except CommandError as error:
            raise _changed(job, error) from error
        finally:
            self._known.touch(job, mark)


def _asked_s(job: SlurmJob, mark: Mark, now_s: float) -> int:
    """The begin time that a job's user asked for, 0 where it is none or past."""
    asked_s = mark.begin_s if mark.delayed(job.begin_s) else int(job.begin_s or 0)
    return asked_s if asked_s > now_s else 0


def _changed(job: SlurmJob, error: CommandError) -> CommandError:
    """A refusal of Slurm's that says what became of the job since it was listed."""
    for said, reason in CHANGED.items():
        if said in error.what.lower():
            return RefusedError(reason, error.what, where=f"job {job.job_id}")
    return error
