"""Which jobs stand for a while: least work lost, most slack, no more than needed, gangs whole. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from igoudar.control.demand_response.levers import JobLever

LOST_STEP_S = 60.0  # work lost is compared by the minute: a second more or less decides nothing


class Tier(IntEnum):
    """What a pause costs a job's deadline; a later tier is used only when the earlier ones don't suffice."""

    SAFE = 0  # it may stand until the event is over
    HOPELESS = 1  # its deadline is lost without us
    TURNS = 2  # it may stand for a while, then another one must
    LOSES = 3


@dataclass(frozen=True, slots=True)
class Candidate:
    """A running job and what its pause would cost."""

    tier: Tier
    job: JobLever

    @property
    def relief_w(self) -> float:
        """What its pause takes off."""
        return self.job.relief_w


def tier(job: JobLever, now: datetime, horizon_s: float, least_s: float) -> Tier:
    """The tier of a running job; `horizon_s` until the event is over, `least_s` the shortest pause."""
    slack_s = job.slack_s(now)
    if slack_s >= horizon_s:
        return Tier.SAFE
    if slack_s >= least_s:
        return Tier.TURNS
    return Tier.HOPELESS if job.hopeless else Tier.LOSES


def ranked(jobs: Sequence[JobLever], now: datetime, horizon_s: float, least_s: float) -> list[Candidate]:
    """Running jobs, the one to pause first in front."""

    def rank(one: Candidate) -> tuple[int, int, float, str]:
        job = one.job
        return one.tier, round(job.lost_s / LOST_STEP_S), -job.slack_s(now), job.job_id

    found = [Candidate(tier(job, now, horizon_s, least_s), job) for job in jobs if job.relief_w > 0.0]
    return sorted(found, key=rank)


def fewest(need_w: float, order: Sequence[Candidate]) -> list[Candidate]:
    """The first ones that cover the need together, without those that prove too many; all when none do."""
    chosen: list[Candidate] = []
    given_w = 0.0
    for one in order:
        if given_w >= need_w:
            break
        chosen.append(one)
        given_w += one.relief_w
    return _trimmed(chosen, given_w - need_w, order)


def _trimmed(chosen: list[Candidate], spare_w: float, order: Sequence[Candidate]) -> list[Candidate]:
    """Leave out, last first, who is not needed; then let a smaller job stand for the last one."""
    kept: list[Candidate] = []
    for one in reversed(chosen):
        if one.relief_w <= spare_w:
            spare_w -= one.relief_w
        else:
            kept.append(one)
    kept.reverse()
    if kept and spare_w > 0.0:
        kept[-1] = _smaller(kept[-1], spare_w, order[len(chosen) :])
    return kept


def _smaller(last: Candidate, spare_w: float, others: Sequence[Candidate]) -> Candidate:
    """The smallest of its tier that still covers what the last one covers."""
    enough_w = last.relief_w - spare_w
    alike = [
        one
        for one in others
        if one.tier is last.tier
        and one.relief_w >= enough_w
        and one.job.lost_s <= last.job.lost_s + LOST_STEP_S
    ]
    return min([last, *alike], key=lambda one: one.relief_w)
