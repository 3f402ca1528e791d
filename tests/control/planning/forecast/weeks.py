"""Made weeks of a coast: sun by day, wind by night, some weeks windier than others."""

import numpy as np

from igoudar.control.planning.forecast.history import Record
from igoudar.control.planning.table import Floats

STEPS = 7 * 96


def wind(seed: int, hours: int = 168) -> Floats:
    """Hourly capacity factors, held for the quarters."""
    draw = np.random.default_rng(seed)
    z, course = draw.normal(0.0, 1.0), np.zeros(hours)
    for hour in range(hours):
        z = 0.95 * z + 0.3 * draw.normal()
        course[hour] = z + np.cos(2 * np.pi * (hour - 22) / 24)
    return np.repeat(1.0 / (1.0 + np.exp(-course)), 4)


def sun(seed: int, hours: int = 168) -> Floats:
    draw = np.random.default_rng(1000 + seed)
    hour = np.arange(hours)
    sky = np.clip(np.sin(2 * np.pi * ((hour % 24) - 7) / 24), 0.0, None)
    cloud = np.repeat(draw.uniform(0.5, 1.0, hours // 24 + 1), 24)[:hours]
    return np.repeat(0.8 * sky * cloud, 4)


def urgent(hours: int = 168) -> Floats:
    return 19e6 * (1.0 + 0.15 * np.sin(2 * np.pi * (np.arange(hours * 4) / 4 - 14) / 24))


def history(weeks: int = 4) -> dict[str, list[Record]]:
    draw = np.random.default_rng(7)
    return {
        "pv": [Record(60e6 * sun(n)) for n in range(weeks)],
        "wind": [Record(40e6 * wind(n)) for n in range(weeks)],
        "urgent": [Record(urgent()) for _ in range(weeks)],
        "pue": [Record(np.full(STEPS, 1.08)) for _ in range(weeks)],
        "arrivals": [Record(draw.exponential(1e6, STEPS)) for _ in range(weeks)],
    }


MOST = {"pv": 60e6, "wind": 40e6}
