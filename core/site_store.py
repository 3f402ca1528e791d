"""Which store a site keeps its samples in."""

from collections.abc import Iterator

from igoudar.core.errors import ConfigError
from igoudar.core.model import StoreChoice
from igoudar.core.site_file import Keeping, SiteFile

DAY_S = 86_400
_NEEDED = ("url", "bucket", "token_file")
_INFLUX = (*_NEEDED, "org", "read_token_file", "retention_days")


def store_choice(file: SiteFile) -> StoreChoice:
    """The model of `[store]`."""
    table = file.store
    return StoreChoice(
        kind=table.kind,
        url=table.url,
        org=table.org,
        bucket=table.bucket,
        token_file=table.token_file,
        read_token_file=table.read_token_file,
        precision=table.precision,
        retention_s=round(table.retention_days * DAY_S),
        raw_days=table.raw_days,
        minute_days=table.minute_days,
        quarter_days=table.quarter_days,
    )


def check_store(table: Keeping, where: str) -> Iterator[ConfigError]:
    """What is wrong with `[store]`."""
    if table.kind == "influx":
        for key in _NEEDED:
            if not getattr(table, key):
                what = f"an InfluxDB store needs {key}"
                yield ConfigError(what, where=f"{where}: store.{key}", fix="add it")
        return
    if not table.raw_days <= table.minute_days <= table.quarter_days:
        fix = "make raw_days <= minute_days <= quarter_days"
        yield ConfigError("roll-ups outlive what they are made of", where=f"{where}: store", fix=fix)
    for key in _INFLUX:
        if getattr(table, key):
            fix = 'add kind = "influx", or leave it out'
            yield ConfigError(f"{key} is InfluxDB's", where=f"{where}: store.{key}", fix=fix)
