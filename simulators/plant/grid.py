"""The way in: grid connection, transformers with their losses, UPS and distribution."""

from typing import Any

import numpy as np

from igoudar.core.model import Grid, Site
from igoudar.simulators.plant.noise import Series
from igoudar.simulators.plant.racks import Weights

NO_LOAD_RATIO = 0.0010  # of rated power; with the load loss about the EU ecodesign tier 2 of large units
LOAD_LOSS_RATIO = 0.0080  # of rated power at full load, grows with the square
DISTRIBUTION_RATIO = 0.018  # UPS in eco mode, busbars and PDUs, of the IT load; our assumption


class Transformers:
    """The transformers of a site; one nameless one where its feeds have none."""

    def __init__(self, site: Site, weights: dict[str, Weights]) -> None:
        feeds = [feed for feed in site.feeds if feed.kind == "transformer" and feed.name in weights]
        self.index = {feed.name: i for i, feed in enumerate(feeds)}
        carried = np.zeros((max(1, len(feeds)), len(site.racks)))
        for row, feed in enumerate(feeds):
            carried[row, weights[feed.name].racks] = weights[feed.name].share
        # What the site's feeds tie to no transformer is spread over all of them, so that no load is lost.
        self.matrix = carried + (1.0 - carried.sum(axis=0)) / len(carried)
        rated = [feed.rated_w for feed in feeds] or [1.3 * site.it_w]
        self.rated_w = np.maximum(np.array(rated, dtype=float), 1.0)
        self.load_w = np.zeros(len(rated))
        self.loss_w = np.zeros(len(rated))
        self.energy_wh = np.zeros(len(rated))

    def carry(self, rack_w: Series, overhead_w: float) -> None:
        """Set what each transformer takes in: its racks, its part of the overhead [W], its own losses."""
        it = self.matrix @ rack_w
        total = float(it.sum())
        share = it / total if total > 0 else np.full(len(it), 1.0 / len(it))
        out = it * (1.0 + DISTRIBUTION_RATIO) + share * overhead_w
        own = self.rated_w * (NO_LOAD_RATIO + LOAD_LOSS_RATIO * (out / self.rated_w) ** 2)
        self.loss_w = own + it * DISTRIBUTION_RATIO
        self.load_w = out + own

    def run(self, seconds: float) -> None:
        """Count the energy of `seconds` at the present load."""
        self.energy_wh += self.load_w * (seconds / 3600.0)

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"energy_wh": self.energy_wh.tolist()}

    def load(self, state: dict[str, Any]) -> None:
        """Take up a checkpoint's state."""
        self.energy_wh = np.array(state["energy_wh"])


def export_w(grid: Grid, surplus_w: float) -> float:
    """What of a surplus the grid takes [W]; the rest has to be curtailed."""
    return min(max(0.0, surplus_w), grid.export_limit_w)
