"""The way of the power: what each breaker, leg and transformer carries, summed along the site's feeds. Pure.

A rack with two legs (A and B) draws half from each; when one is lost the other carries it all. Whatever hangs
above both legs carries the rack once, not twice.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from math import inf

from igoudar.core.model import Rack, Site


@dataclass(frozen=True, slots=True)
class FeedTree:
    """Feeds with their ratings, and the chain from each up to the grid."""

    rated_w: Mapping[str, float]
    chains: Mapping[str, tuple[str, ...]]  # feed -> itself and everything above it
    legs: Mapping[str, tuple[str, ...]]  # rack -> the feeds it hangs on
    above: Mapping[str, frozenset[str]]  # rack -> every feed that it hangs below, once

    def live_legs(self, rack: str, lost: Collection[str] = ()) -> tuple[str, ...]:
        """Legs of a rack with nothing lost up to the grid."""
        return tuple(leg for leg in self.legs.get(rack, ()) if not set(self.chains[leg]) & set(lost))


@dataclass(frozen=True, slots=True)
class FeedRoom:
    """What the feeds carry at worst, each rack once on every feed that may have to carry it alone."""

    tree: FeedTree
    rack_w: Mapping[str, float]
    peak_w: Mapping[str, float] = field(default_factory=dict)  # a rack never draws more

    @property
    def loads_w(self) -> dict[str, float]:
        """Per feed."""
        loads = dict.fromkeys(self.tree.rated_w, 0.0)
        for rack, draw_w in self.rack_w.items():
            for name in self.tree.above[rack]:
                loads[name] += draw_w
        return loads

    def fits(self, racks: Iterable[str], power_w: float) -> bool:
        """Whether so much more on these racks, spread evenly, stays within every rating."""
        before, after = self.loads_w, self.plus(racks, power_w).loads_w
        return not any(w > self.tree.rated_w[name] and w > before[name] for name, w in after.items())

    def plus(self, racks: Iterable[str], power_w: float) -> "FeedRoom":
        """With so much more on these racks."""
        known = [rack for rack in racks if rack in self.rack_w]
        more = {
            rack: min(self.rack_w[rack] + power_w / len(known), self.peak_w.get(rack, inf)) for rack in known
        }
        return FeedRoom(self.tree, {**self.rack_w, **more}, self.peak_w)


def tree(site: Site) -> FeedTree:
    """The feeds of a site."""
    parents = {feed.name: feed.parent for feed in site.feeds}
    chains = {name: _chain(name, parents) for name in parents}
    legs = {rack.name: tuple(leg for leg in rack.feeds if leg in parents) for rack in site.racks}
    above = {rack: frozenset(name for leg in hung for name in chains[leg]) for rack, hung in legs.items()}
    return FeedTree({feed.name: feed.rated_w for feed in site.feeds}, chains, legs, above)


def _chain(name: str, parents: Mapping[str, str]) -> tuple[str, ...]:
    found: list[str] = []
    while name and name in parents and name not in found:
        found.append(name)
        name = parents[name]
    return tuple(found)


def carried(power: FeedTree, rack_w: Mapping[str, float], lost: Collection[str] = ()) -> dict[str, float]:
    """What each feed carries, racks sharing their power evenly over the legs that are left [W]."""
    loads = dict.fromkeys(power.rated_w, 0.0)
    for rack, draw_w in rack_w.items():
        legs = power.live_legs(rack, lost)
        for leg in legs:
            for name in power.chains[leg]:
                loads[name] += draw_w / len(legs)
    return loads


def at_worst(
    power: FeedTree, rack_w: Mapping[str, float], peak_w: Mapping[str, float] | None = None
) -> FeedRoom:
    """What each feed may have to carry alone, whatever other leg is lost."""
    return FeedRoom(power, rack_w, peak_w or {})


def overloads(power: FeedTree, loads_w: Mapping[str, float]) -> dict[str, float]:
    """By how much which feeds are over their rating [W]."""
    return {name: w - power.rated_w[name] for name, w in loads_w.items() if w > power.rated_w[name]}


def rack_powers(racks: Iterable[Rack], metered_w: Mapping[str, float]) -> dict[str, float]:
    """Power of each rack; one whose meters are silent counts at its peak."""
    return {rack.name: metered_w.get(rack.name, rack.peak_w) for rack in racks}
