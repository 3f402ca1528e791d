"""How a site answers a shed, a cap or a demand-response event."""

from dataclasses import dataclass

ORDER = ("battery", "caps", "jobs", "loads")  # the order in which levers are used


@dataclass(frozen=True, slots=True)
class Emergency:
    """What an event may use, and how careful it is; the defaults are our assumptions."""

    levers: tuple[str, ...] = ORDER
    ramp_w_per_min: float = 0.0  # of the way back; 0 = 5 % of the rated IT power
    margin_ratio: float = 0.015  # below the limit: what the load may rise by before it is seen and answered
    response_s: float = 30.0  # from the start to the limit; intervals count from here on
    resume_after_s: float = 300.0  # room must last this long before work goes on under a limit
    pause_at_least_s: float = 600.0
    deadline_margin_s: float = 900.0
    open_s: float = 4 * 3600.0  # how long an event without an end is reckoned to last
    cap_least_ratio: float = 0.85  # of full power: below it a cap costs more work than a pause does
