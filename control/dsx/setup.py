"""A site's DSX Flex, put together."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from igoudar.control.demand_response.events import Events
from igoudar.control.dsx.broker import Broker
from igoudar.control.dsx.desk import EventDesk
from igoudar.control.dsx.flex import Flex
from igoudar.control.dsx.seal import Seal, Signer
from igoudar.control.dsx.seen import Seen
from igoudar.control.operator import Note
from igoudar.core.clock import Clock
from igoudar.core.model_dsx import Dsx

SEEN = "dsx-seen.json"


def open_dsx(dsx: Dsx, events: Events, clock: Clock, note: Note, state: Path) -> Broker | None:
    """Who speaks to the broker, None where the site names none.

    Raises:
        ConfigError: keys or files that can't be used.
    """
    if not dsx.identifier:
        return None
    seal = Seal.of_file(dsx.keys_file, dsx.algorithms)
    signer = Signer.of_file(dsx.seal_file, dsx.algorithms) if dsx.seal_file else None
    seen = Seen(state / SEEN, timedelta(seconds=dsx.oldest_s), datetime.now(UTC))
    broker = Broker(dsx, Flex(dsx, EventDesk(events), seal, signer, seen, clock, note), events.held)
    broker.check()
    return broker
