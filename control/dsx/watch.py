"""The alarm of a grid that can't reach the site."""

from collections.abc import Iterator
from dataclasses import dataclass

from igoudar.control.alarms.watch import Conditions, Signal, standing
from igoudar.control.dsx.broker import Broker
from igoudar.control.picture import Picture

UNREACHABLE, PRIORITY = "grid_unreachable", 2
AFTER_S = 60.0  # a broker that is only restarted is no alarm


@dataclass(slots=True)
class BrokerWatch:
    """Looks at the way to the broker once a cycle."""

    broker: Broker

    def signals(self, picture: Picture, before: Conditions) -> Iterator[Signal]:
        """What the alarm engine follows."""
        source = self.broker.dsx.identifier
        params: dict[str, object] = {"host": self.broker.dsx.host}
        lost = self.broker.writer() and not self.broker.connected
        yield standing(UNREACHABLE, source, PRIORITY, lost, picture.at, before, params, AFTER_S)
