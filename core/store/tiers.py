"""The tiers that samples are kept in, and the windows that they are arranged by."""

from dataclasses import dataclass

MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US


@dataclass(frozen=True, slots=True)
class Tier:
    """One resolution: the letter of its segments' names, their folder, its buckets' length (0 = samples)."""

    letter: str
    folder: str
    step_us: int


RAW = Tier("L", "cold", 0)
MINUTE = Tier("M", "minute", MINUTE_US)
QUARTER = Tier("Q", "quarter", 15 * MINUTE_US)
ROLLED = (MINUTE, QUARTER)
TIERS = (RAW, *ROLLED)


@dataclass(frozen=True, slots=True)
class Retention:
    """How many days that hold data are kept in each tier; the oldest go first.

    Days with data are counted rather than the calendar, so that one sample with a wrong year costs one old
    day, not all of them.
    """

    raw_days: int = 30
    minute_days: int = 180
    quarter_days: int = 1830

    def days(self, tier: Tier) -> int:
        """Days kept in `tier`."""
        return {RAW: self.raw_days, MINUTE: self.minute_days, QUARTER: self.quarter_days}[tier]
