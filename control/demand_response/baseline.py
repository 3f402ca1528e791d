"""What the site drew before: the mean of the last 15 min of facility load, by the meters' counters. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from igoudar.control.ledger import Books, Ledger
from igoudar.control.series import mean_powers

WINDOW = timedelta(minutes=15)
LEAST = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Baseline:
    """Mean facility load, and over how much of the window."""

    power_w: float
    covered_s: float


def baseline(ledger: Ledger, books: Books, now: datetime) -> Baseline | None:
    """The baseline at `now`, None before a minute was metered."""
    series = books.of("transformer")
    span = ledger.span(series)
    if span is None or now - span[1] > WINDOW:
        return None
    seconds = min(WINDOW, span[1] - span[0]).total_seconds()
    if seconds < LEAST.total_seconds():
        return None
    only = Books({("transformer", "active_energy_import_wh"): series}, books.rules)
    means = mean_powers(ledger, only, seconds)
    if means is None:
        return None
    return Baseline(float(next(iter(means.values()))), seconds)
