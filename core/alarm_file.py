"""Alarm rules as data: `seeds/alarms.toml`, and what a site changes in them."""

from collections.abc import Mapping
from importlib import resources

from pydantic import Field

from igoudar.core.errors import ConfigError
from igoudar.core.model import AlarmRule, Kind, Profile
from igoudar.core.site_file import AlarmOverride, SiteFile
from igoudar.core.site_words import Sourced, Table
from igoudar.core.strict_toml import bind, nearest, raise_all, read_toml


class AlarmEntry(Sourced):
    """One rule; with `of`, `high` and `low` are shares of that limit of the site."""

    kind: str
    point: str
    priority: int = Field(ge=1, le=3)
    high: float | None = None
    low: float | None = None
    of: str = ""
    deadband: float = Field(default=0.0, ge=0)
    on_delay_s: float = Field(default=0.0, ge=0)
    off_delay_s: float = Field(default=0.0, ge=0)
    subject: str = ""


class AlarmFile(Table):
    """All rules by code."""

    rules: dict[str, AlarmEntry]


def load_alarms(site: SiteFile, profiles: Mapping[str, Profile], where: str) -> tuple[AlarmRule, ...]:
    """The rules that hold at `site`: those of seeds/alarms.toml with the site's changes.

    A rule whose limit refers to a figure that the site does not have (no grid limit) is left out.

    Raises:
        ConfigError: for a change to an unknown rule, or a rule on a kind or point that no profile has.
    """
    entries = _bundled()
    unknown = [code for code in site.alarms if code not in entries]
    raise_all(
        ConfigError("unknown alarm rule", where=f"{where}: alarms.{code}", fix=nearest(code, entries, "rule"))
        for code in unknown
    )
    rules = []
    for code, entry in entries.items():
        change = site.alarms.get(code, AlarmOverride())
        limit = _limit(entry, site, code)
        if not change.off and limit:
            rules.append(_rule(code, _changed(entry, change), limit, profiles))
    return tuple(rules)


def _bundled() -> Mapping[str, AlarmEntry]:
    with resources.as_file(resources.files("igoudar.seeds").joinpath("alarms.toml")) as path:
        return bind({"rules": read_toml(path)}, AlarmFile, "alarms.toml").rules


def _changed(entry: AlarmEntry, change: AlarmOverride) -> AlarmEntry:
    return entry.model_copy(update=change.model_dump(exclude_none=True, exclude={"off"}))


def _limit(entry: AlarmEntry, site: SiteFile, code: str) -> float:
    limits = {
        "": 1.0,
        "grid_import_limit": site.grid.import_limit if site.grid else 0.0,
        "grid_export_limit": site.grid.export_limit if site.grid else 0.0,
    }
    if entry.of not in limits:
        fix = nearest(entry.of, limits, "limit")
        raise ConfigError(f"unknown limit {entry.of!r}", where=f"alarms.toml: {code}.of", fix=fix)
    return limits[entry.of]


def _rule(code: str, entry: AlarmEntry, limit: float, profiles: Mapping[str, Profile]) -> AlarmRule:
    where = f"alarms.toml: {code}"
    if entry.kind not in list(Kind):
        fix = nearest(entry.kind, list(Kind), "kind")
        raise ConfigError(f"unknown device kind {entry.kind!r}", where=f"{where}.kind", fix=fix)
    points = {point for p in profiles.values() if p.kind == entry.kind for point in p.points}
    if points and entry.point not in points:
        fix = nearest(entry.point, points, "point")
        raise ConfigError(f"no {entry.kind} has a point {entry.point!r}", where=f"{where}.point", fix=fix)
    return AlarmRule(
        code=code,
        kind=Kind(entry.kind),
        point=entry.point,
        priority=entry.priority,
        high=None if entry.high is None else entry.high * limit,
        low=None if entry.low is None else entry.low * limit,
        deadband=entry.deadband * limit,
        on_delay_s=entry.on_delay_s,
        off_delay_s=entry.off_delay_s,
        subject=entry.subject,
    )
