"""The store that a site names, opened."""

from pathlib import Path

from igoudar.core.model import Site
from igoudar.core.store.protocol import TelemetryReader, TelemetryStore

INFLUX = "influx"
FOLDER = "store"  # in the state folder: the embedded store


def open_store(site: Site, state: Path) -> TelemetryStore:
    """The site's store, to write; there is one writer.

    Raises:
        ConfigError: what the site says of it can't be used.
        StoreError: another process writes it, or it can't be opened.
    """
    if site.store.kind == INFLUX:
        from igoudar.core.store.influx import InfluxStore
        from igoudar.core.store.influx_place import influx_place

        return InfluxStore(influx_place(site, site.store))
    from igoudar.core.store.parquet import ParquetStore
    from igoudar.core.store.tiers import Retention

    kept = site.store
    retention = Retention(kept.raw_days, kept.minute_days, kept.quarter_days)
    return ParquetStore.open(state / FOLDER, retention=retention)


def open_reader(site: Site, state: Path) -> TelemetryReader:
    """The site's store, to read, from any process.

    Raises:
        ConfigError: what the site says of it can't be used.
    """
    if site.store.kind == INFLUX:
        from igoudar.core.store.influx_place import influx_place
        from igoudar.core.store.influx_reader import InfluxReader

        return InfluxReader(influx_place(site, site.store, reading_only=True))
    from igoudar.core.store.reader import ParquetReader

    return ParquetReader(state / FOLDER)
