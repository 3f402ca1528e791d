"""A seeded stream of jobs for when no trace is given, with statistics like the Philly trace."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

import numpy as np

from igoudar.core.model import Job
from igoudar.simulators.plant.jobs import FLEXIBLE_LOAD, JobList
from igoudar.simulators.plant.noise import DAY_S

# Derived from the Philly trace (Chronus artifact, MIT): 92 % of the jobs have one GPU; lengths are log-normal
# with a median of about 80 min (cut at 2 days here); deadlines 1.3 to 3.5 lengths after submission.
SIZES, SIZE_SHARE = (1, 2, 4, 8, 16), (0.915, 0.01, 0.04, 0.03, 0.005)
LOG_MEAN_MIN, LOG_SD = 4.4, 1.25
LONGEST_MIN, SHORTEST_MIN = 2880.0, 2.0
MODELS = ("resnet101", "vgg16", "bert-large", "gpt-13b", "mobilenet_v2", "llama-ft")


class JobGenerator:
    """Jobs that use about 80 % of `gpus`, drawn per day from (seed, day)."""

    def __init__(self, gpus: int, seed: int) -> None:
        self.gpus, self.seed = gpus, seed

    def between(self, start_s: float, end_s: float) -> list[Job]:
        """Jobs submitted in [start_s, end_s) (seconds since 1970), in order."""
        days = range(int(start_s // DAY_S), int(end_s // DAY_S) + 1)
        return [job for day in days for job in _day(self.gpus, self.seed, day).between(start_s, end_s)]


@lru_cache(maxsize=1)
def _mean_gpu_min() -> float:
    """Mean GPU-minutes of one job, by quadrature over the two distributions."""
    grid = np.linspace(-5.0, 5.0, 2001)
    weight = np.exp(-0.5 * grid**2)
    minutes = np.clip(np.exp(LOG_MEAN_MIN + LOG_SD * grid), SHORTEST_MIN, LONGEST_MIN)
    return float(minutes @ weight / weight.sum()) * float(np.dot(SIZES, SIZE_SHARE) / sum(SIZE_SHARE))


@lru_cache(maxsize=4)
def _day(gpus: int, seed: int, day: int) -> JobList:
    """One UTC day's jobs. Large sites get larger gangs, not more jobs than a trace of that kind holds."""
    draw = np.random.default_rng([seed, 23, day])
    factor = max(1, round(gpus / 1400))
    mean = FLEXIBLE_LOAD * gpus * 1440.0 / (_mean_gpu_min() * factor)
    count = int(draw.poisson(mean))
    at_s = np.sort(draw.uniform(0.0, DAY_S, count)) + day * DAY_S
    sizes = draw.choice(SIZES, count, p=np.array(SIZE_SHARE) / sum(SIZE_SHARE)) * factor
    minutes = np.clip(np.exp(draw.normal(LOG_MEAN_MIN, LOG_SD, count)), SHORTEST_MIN, LONGEST_MIN)
    slack = 1.0 + draw.lognormal(0.2, 0.7, count)
    users, models = draw.integers(1, 9, count), draw.integers(0, len(MODELS), count)
    rows = enumerate(zip(at_s, sizes, minutes, slack, users, models, strict=True))
    return JobList([_job(f"{day}-{i:04d}", *row) for i, row in rows])


def _job(job_id: str, at_s: float, gpus: int, minutes: float, slack: float, user: int, model: int) -> Job:
    submitted = datetime.fromtimestamp(float(at_s), UTC)
    length_s = round(float(minutes) * 60.0, 1)
    deadline = submitted + timedelta(seconds=length_s * float(slack) + 900.0)
    return Job(job_id, f"team-{user}", int(gpus), submitted, length_s, deadline, name=MODELS[int(model)])
