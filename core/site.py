"""Load a site: a bundled seed by name, or a file by path."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from importlib import resources
from pathlib import Path

from igoudar.core.alarm_file import load_alarms
from igoudar.core.control_tables.writes import check_interlocks
from igoudar.core.errors import ConfigError
from igoudar.core.fleet import join
from igoudar.core.model import Profile, Site
from igoudar.core.site_build import build_site
from igoudar.core.site_check import check_site
from igoudar.core.site_expand import expand_site
from igoudar.core.site_file import MemberEntry, SiteFile
from igoudar.core.strict_toml import bind, nearest, raise_all, read_toml

_SEEDS = "igoudar.seeds"
_NOT_SITES = frozenset({"alarms"})


def seed_names() -> list[str]:
    """Names of the bundled sites."""
    files = [
        f.name.removesuffix(".toml") for f in resources.files(_SEEDS).iterdir() if f.name.endswith(".toml")
    ]
    return sorted(name for name in files if name not in _NOT_SITES)


def load_site(name_or_path: str, profiles: Mapping[str, Profile]) -> Site:
    """A site by the name of a seed or by the path of a file, expanded and checked.

    Raises:
        ConfigError: when there is no such site; ConfigFileError with every problem found in its file.
    """
    with locate_site(name_or_path) as path:
        return _load(path, profiles, above=())


def locate_site(name_or_path: str, beside: Path | None = None) -> AbstractContextManager[Path]:
    """The file of a site; a relative path counts from the folder `beside` where one is given.

    Raises:
        ConfigError: when it is neither a seed nor looks like a path.
    """
    if name_or_path in seed_names():
        return resources.as_file(resources.files(_SEEDS).joinpath(f"{name_or_path}.toml"))
    if name_or_path.endswith(".toml") or "/" in name_or_path:
        return nullcontext((beside or Path()) / name_or_path)
    fix = f"{nearest(name_or_path, seed_names(), 'site')}; a file's name ends in .toml"
    raise ConfigError(f"there is no site {name_or_path!r}", fix=fix)


def _load(path: Path, profiles: Mapping[str, Profile], above: tuple[Path, ...]) -> Site:
    where = str(path)
    file = bind(read_toml(path), SiteFile, where)
    things = expand_site(file, profiles, where)
    raise_all(check_site(file, things, {name: p.protocol for name, p in profiles.items()}, where))
    points = {device.name: profiles[device.profile].points for device in things.devices}
    raise_all(check_interlocks(file.interlocks, points, where))
    site = build_site(file, things, load_alarms(file, profiles, where))
    return join(site, _members(file, path, profiles, above)) if file.members else site


def _members(
    file: SiteFile, path: Path, profiles: Mapping[str, Profile], above: tuple[Path, ...]
) -> list[Site]:
    loaded: dict[Path, Site] = {}
    members = []
    for number, entry in enumerate(file.members, 1):
        where = f"{path}: members[{number}]"
        with locate_site(entry.site, path.parent) as member:
            chain = (*above, path.resolve())
            if member.resolve() in chain:
                raise ConfigError(
                    "a fleet can't be its own member", where=f"{where}.site", fix="name another site"
                )
            if member not in loaded:
                loaded[member] = _load(member, profiles, chain)
            members.append(_moved(loaded[member], entry))
    if len({m.name for m in members}) < len(members):
        raise ConfigError(
            "two members have the same name", where=f"{path}: members", fix="give each its own name"
        )
    return members


def _moved(site: Site, entry: MemberEntry) -> Site:
    """The same site under the member's name and, where given, at its place."""
    place = entry.place
    named = replace(site, name=entry.name, title=entry.title or site.title)
    if place is None:
        return named
    return replace(
        named,
        latitude_deg=place.latitude_deg,
        longitude_deg=place.longitude_deg,
        altitude_m=place.altitude_m,
        time_zone=place.time_zone,
    )
