"""How long jobs run, learned from jobs that have ended: by user and size, with the rest as background."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from igoudar.control.planning.table import Floats

SHORTEST_S, LONGEST_S, BINS = 10.0, 60 * 86_400.0, 96
EDGES_S = np.geomspace(SHORTEST_S, LONGEST_S, BINS + 1)
MIDDLES_S = np.sqrt(EDGES_S[:-1] * EDGES_S[1:])
BACKGROUND = 5.0  # jobs that a wider group counts for in a narrower one
LONGEST_SHARE = 0.95  # of jobs end within `longest_s`
FADE = 0.999  # of a group's weight per further job: habits change
UNKNOWN_S = 86_400.0  # for the first job ever

Key = tuple[str, int]  # user ("" = all), size class (-1 = all)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is reckoned with: the mean, and what is rarely exceeded."""

    expected_s: float
    longest_s: float


@dataclass(slots=True)
class Durations:
    """Histograms of the logarithm of durations, per user and size, per user, per size and of all."""

    counts: dict[Key, Floats] = field(default_factory=dict)

    def learn(self, user: str, gpus: int, duration_s: float) -> None:
        """A job has ended after `duration_s` of work."""
        place = int(np.clip(np.searchsorted(EDGES_S, duration_s, side="right") - 1, 0, BINS - 1))
        for key in _groups(user, gpus):
            seen = self.counts.setdefault(key, np.zeros(BINS))
            seen *= FADE
            seen[place] += 1.0

    def estimate(self, user: str, gpus: int, done_s: float = 0.0) -> Estimate:
        """For a job of `user` with `gpus` that has `done_s` of its work behind it."""
        share = self._shares(user, gpus)
        share = np.where(EDGES_S[1:] > done_s, share, 0.0)
        if not share.sum():
            return Estimate(max(UNKNOWN_S, 2.0 * done_s), max(UNKNOWN_S, 2.0 * done_s))
        share = share / share.sum()
        last = int(np.searchsorted(np.cumsum(share), LONGEST_SHARE - 1e-9))
        longest = float(EDGES_S[min(last, BINS - 1) + 1])
        return Estimate(min(max(float(share @ MIDDLES_S), done_s), longest), longest)

    def _shares(self, user: str, gpus: int) -> Floats:
        """The group's shares, each drawn towards those of the next wider one."""
        share = np.zeros(BINS)
        for key in reversed(_groups(user, gpus)):
            seen = self.counts.get(key)
            if seen is not None:
                prior = BACKGROUND if share.sum() else 0.0
                share = (seen + prior * share) / (seen.sum() + prior)
        return share


def _groups(user: str, gpus: int) -> tuple[Key, ...]:
    """From the narrowest to the widest."""
    size = int(gpus).bit_length()  # 1, 2-3, 4-7, 8-15, ...
    return (user, size), (user, -1), ("", size), ("", -1)


def learned_durations(
    users: Sequence[str], gpus: Floats, submitted_s: Floats, duration_s: Floats, known_after_s: float
) -> tuple[Floats, Floats]:
    """Expected and longest duration of each job at its submission [s]; jobs are sorted by submission.

    A job teaches once it has ended: its submission plus its duration plus `known_after_s` (how long jobs are
    taken to wait). Nothing later is read.
    """
    ends = submitted_s + duration_s + known_after_s
    order, taught, book = np.argsort(ends, kind="stable"), 0, Durations()
    expected, longest = np.zeros(len(ends)), np.zeros(len(ends))
    for row, now in enumerate(submitted_s):
        while taught < len(order) and ends[order[taught]] <= now:
            past = int(order[taught])
            book.learn(users[past], int(gpus[past]), float(duration_s[past]))
            taught += 1
        guess = book.estimate(users[row], int(gpus[row]))
        expected[row], longest[row] = guess.expected_s, guess.longest_s
    return expected, longest
