"""Where a site keeps what: as its file says, or, where that can't be read, as far as a look tells."""

from dataclasses import dataclass, field

from igoudar.core.errors import ConfigError
from igoudar.core.model import StoreChoice
from igoudar.core.model_people import Auditing
from igoudar.core.store.choice import INFLUX


@dataclass(frozen=True, slots=True)
class Kept:
    """Its records, its samples, and why nothing is known of them ("" = it is)."""

    audit: Auditing = field(default_factory=Auditing)
    store: StoreChoice = field(default_factory=StoreChoice)
    unknown: str = ""

    @property
    def samples_elsewhere(self) -> bool:
        """An InfluxDB holds the samples: no file of ours does."""
        return self.store.kind == INFLUX


def kept(site: str) -> Kept:
    """Of a bundled site or a site file, which need not be loadable for its data to be kept."""
    from igoudar.app.parts_cli import load

    try:
        found = load(site)[0]
    except ConfigError as error:
        return Kept(unknown=str(error))
    return Kept(found.audit, found.store)
