"""What covers a need, lever after lever: caps, pauses, other loads, and last what costs a deadline. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from igoudar.control.demand_response.choose import Candidate, Tier, fewest, ranked
from igoudar.control.demand_response.levers import CapLever, JobLever, Levers
from igoudar.control.demand_response.rules import Rules
from igoudar.core.model import JobState
from igoudar.core.throughput import dynamic_ratio


@dataclass(frozen=True, slots=True)
class Need:
    """What is over the target on each meter [W]; negative = room, -inf = no limit there."""

    facility_w: float
    import_w: float

    @property
    def most_w(self) -> float:
        """What levers behind both meters must give."""
        return max(self.facility_w, self.import_w)

    def plus(self, power_w: float) -> "Need":
        """With more load behind both meters."""
        return Need(self.facility_w + power_w, self.import_w + power_w)

    def less_import(self, power_w: float) -> "Need":
        """With less load at the grid meter only."""
        return Need(self.facility_w, self.import_w - power_w)


NOTHING = Need(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Cover:
    """What to move; `left` is what nothing covers."""

    caps: Mapping[str, float] = field(default_factory=dict)
    pauses: tuple[Candidate, ...] = ()
    loads: Mapping[str, float] = field(default_factory=dict)
    left: Need = NOTHING

    @property
    def short_w(self) -> float:
        """What nothing covers, on the meter where it is most."""
        return max(0.0, self.left.most_w)

    @property
    def loses(self) -> tuple[str, ...]:
        """Jobs whose deadline this costs."""
        return tuple(one.job.job_id for one in self.pauses if one.tier is Tier.LOSES)


def cover(
    need: Need,
    levers: Levers,
    rules: Rules,
    now: datetime,
    horizon_s: float,
    least_s: float,
    spared: Collection[str],
) -> Cover:
    """The cheapest cover of a need, in the order of the levers; `spared` jobs are not touched."""
    capped = ((one.target, min(one.now_w, one.limit_w), one.relief_w) for one in levers.caps)
    caps, capped_w = _lowered(need.most_w, capped if "caps" in rules.levers else ())
    need = need.plus(-capped_w)
    jobs = tuple(_dimmed(job, left_ratio(caps, levers.caps)) for job in levers.jobs)
    order = _order(jobs, rules, now, horizon_s, least_s, spared)
    kept = fewest(need.most_w, [one for one in order if one.tier is not Tier.LOSES])
    need = need.plus(-sum(one.relief_w for one in kept))
    loaded = ((one.device, one.now_w, one.now_w) for one in levers.loads)
    loads, relieved_w = _lowered(need.import_w, loaded if "loads" in rules.levers else ())
    need = need.less_import(relieved_w)
    lost = fewest(need.most_w, [one for one in order if one.tier is Tier.LOSES])
    need = need.plus(-sum(one.relief_w for one in lost))
    return Cover(caps, (*kept, *lost), loads, need)


def left_ratio(limits: Mapping[str, float], levers: Sequence[CapLever]) -> float:
    """What the lowest of these limits leaves of the power above idle: a capped job's pause gives less."""
    ratios = [limits[one.target] / one.full_w for one in levers if one.target in limits and one.full_w > 0.0]
    return dynamic_ratio(min(ratios, default=1.0))


def _dimmed(job: JobLever, left_ratio: float) -> JobLever:
    return job if left_ratio >= 1.0 else replace(job, relief_w=job.relief_w * left_ratio)


def _order(
    jobs: Sequence[JobLever],
    rules: Rules,
    now: datetime,
    horizon_s: float,
    least_s: float,
    spared: Collection[str],
) -> list[Candidate]:
    if "jobs" not in rules.levers:
        return []
    running = [job for job in jobs if job.state is JobState.RUNNING and job.job_id not in spared]
    return ranked(running, now, horizon_s, least_s)


def _lowered(need_w: float, gives: Iterable[tuple[str, float, float]]) -> tuple[dict[str, float], float]:
    """Lower limits, the largest relief first, the last one only as far as needed; (name, now, relief) [W]."""
    limits: dict[str, float] = {}
    given_w = 0.0
    for name, now_w, relief_w in sorted(gives, key=lambda one: (-one[2], one[0])):
        if given_w >= need_w or relief_w <= 0.0:
            break
        taken_w = min(relief_w, need_w - given_w)
        limits[name] = now_w - taken_w
        given_w += taken_w
    return limits, given_w
