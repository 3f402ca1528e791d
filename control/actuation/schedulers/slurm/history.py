"""How long a job is expected to last: by its time limit, or by what its user's jobs lasted so far."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import ceil

from igoudar.control.actuation.schedulers.slurm.jobs import SlurmJob
from igoudar.control.planning.forecast.durations import Durations

LEARNED_JOBS = 20  # of the same user and size, before their upper quantile is believed against a limit


@dataclass(slots=True)
class History:
    """Learns from jobs that have completed, each once; wall seconds."""

    durations: Durations = field(default_factory=Durations)
    _seen: set[int] = field(default_factory=set)

    def learn(self, jobs: Iterable[SlurmJob]) -> None:
        """Take in those that are done; what Slurm has forgotten is forgotten here too."""
        done = {job.number: job for job in jobs if "COMPLETED" in job.states and job.ended_s}
        for number in done.keys() - self._seen:
            job = done[number]
            self.durations.learn(job.user, job.gpus, job.ran_s(job.ended_s or 0.0))
        self._seen = set(done)

    def expected_s(self, job: SlurmJob) -> float:
        """From its start to its end; tasks of an array that can't run at once follow each other."""
        estimate = self.durations.estimate(job.user, job.gpus)
        if job.limit_s is None:
            expected_s = estimate.longest_s
        elif self._known(job):
            expected_s = min(job.limit_s, estimate.longest_s)
        else:
            expected_s = job.limit_s
        return expected_s * ceil(job.tasks / max(1, job.at_once))

    def _known(self, job: SlurmJob) -> bool:
        seen = self.durations.counts.get((job.user, int(job.gpus).bit_length()))
        return seen is not None and float(seen.sum()) >= LEARNED_JOBS
