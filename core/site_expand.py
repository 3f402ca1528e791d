"""From what a site file says to what stands on the site: patterns become halls, feeds, racks and devices."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from igoudar.core.errors import ConfigError
from igoudar.core.model import Device, Feed, Hall, Profile, Rack
from igoudar.core.pattern import Pattern, Template, parse_pattern, parse_template
from igoudar.core.site_file import DeviceEntry, FeedEntry, RackEntry, SiteFile
from igoudar.core.strict_toml import nearest

Entry = TypeVar("Entry")
Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class Expanded:
    """All that stands on a site, in the file's order."""

    halls: tuple[Hall, ...]
    feeds: tuple[Feed, ...]
    racks: tuple[Rack, ...]
    devices: tuple[Device, ...]
    origins: Mapping[str, Sequence[str]]  # table -> for each of its things, the key path of its entry


def expand_site(file: SiteFile, profiles: Mapping[str, Profile], where: str) -> Expanded:
    """Expand every pattern of a site file.

    Raises:
        ConfigError: for a pattern that can't be read, an unknown profile, or a point that can't be allowed.
    """
    origins: dict[str, list[str]] = {}

    def run(
        table: str, entries: Sequence[Entry], build: Callable[[Entry, str], Iterator[Thing]]
    ) -> tuple[Thing, ...]:
        things: list[Thing] = []
        paths = origins.setdefault(table, [])
        for number, entry in enumerate(entries, 1):
            path = f"{where}: {table}[{number}]"
            things += build(entry, path)
            paths += [path] * (len(things) - len(paths))
        return tuple(things)

    return Expanded(
        run("halls", file.halls, lambda entry, path: _halls(entry.name, path)),
        run("feeds", file.feeds, _feeds),
        run("racks", file.racks, _racks),
        run("devices", file.devices, lambda entry, path: _devices(entry, profiles, path)),
        origins,
    )


def _halls(name: str, path: str) -> Iterator[Hall]:
    pattern = parse_pattern(name, f"{path}.name")
    return (Hall(pattern.template(binding)) for binding in pattern.bindings())


def _feeds(entry: FeedEntry, path: str) -> Iterator[Feed]:
    pattern = parse_pattern(entry.name, f"{path}.name")
    parent = _template(entry.parent, pattern, f"{path}.parent")
    for binding in pattern.bindings():
        yield Feed(pattern.template(binding), entry.kind, parent(binding), entry.rated)


def _racks(entry: RackEntry, path: str) -> Iterator[Rack]:
    if entry.idle > entry.peak:
        raise ConfigError("a rack draws more idle than at its peak", where=f"{path}.idle", fix="lower `idle`")
    pattern = parse_pattern(entry.name, f"{path}.name")
    hall, row, position, cdu = (
        _template(text, pattern, f"{path}.{key}")
        for key, text in (
            ("hall", entry.hall),
            ("row", entry.row),
            ("position", entry.position),
            ("cdu", entry.cdu),
        )
    )
    feeds = [_template(text, pattern, f"{path}.feeds") for text in entry.feeds]
    for binding in pattern.bindings():
        yield Rack(
            name=pattern.template(binding),
            hall=hall(binding),
            row=row(binding),
            position=_whole(position(binding), f"{path}.position"),
            gpus=entry.gpus,
            peak_w=entry.peak,
            idle_w=entry.idle,
            feeds=tuple([feed(binding) for feed in feeds]),
            cdu=cdu(binding),
        )


def _devices(entry: DeviceEntry, profiles: Mapping[str, Profile], path: str) -> Iterator[Device]:
    profile = _profile(entry, profiles, path)
    allow = _allowed(entry, profile, path)
    no_reversion = _staying(entry, profile, path)
    pattern = parse_pattern(entry.name, f"{path}.name")
    address, subject, hall = (
        _template(text, pattern, f"{path}.{key}")
        for key, text in (("address", entry.address), ("subject", entry.subject), ("hall", entry.hall))
    )
    for binding in pattern.bindings():
        yield Device(
            name=pattern.template(binding),
            kind=profile.kind,
            profile=profile.name,
            address=address(binding),
            subject=subject(binding),
            role=entry.role,
            hall=hall(binding),
            share=entry.share,
            allow=allow,
            no_reversion=no_reversion,
        )


def _profile(entry: DeviceEntry, profiles: Mapping[str, Profile], path: str) -> Profile:
    if entry.profile not in profiles:
        fix = nearest(entry.profile, profiles, "profile")
        raise ConfigError(f"unknown profile {entry.profile!r}", where=f"{path}.profile", fix=fix)
    return profiles[entry.profile]


def _allowed(entry: DeviceEntry, profile: Profile, path: str) -> frozenset[str]:
    writable = [name for name, point in profile.points.items() if point.writable]
    for name in entry.allow:
        if name not in writable:
            what = f"{profile.name} has no writable point {name!r}"
            raise ConfigError(what, where=f"{path}.allow", fix=nearest(name, writable, "writable point"))
    return frozenset(entry.allow)


def _staying(entry: DeviceEntry, profile: Profile, path: str) -> frozenset[str]:
    """Points that the site allows although they stay as written when nobody is left to take them back."""
    acknowledged = frozenset(entry.no_reversion)
    for name in acknowledged - frozenset(entry.allow):
        fix = nearest(name, entry.allow, "allowed point")
        raise ConfigError(f"{name!r} is not in `allow`", where=f"{path}.no_reversion", fix=fix)
    kept = {name for point in profile.points.values() if point.writable for name in point.writable.companions}
    kept.add(profile.remote.heartbeat)
    for name in entry.allow:
        rules = profile.points[name].writable
        if rules and not rules.reversion and name not in kept and name not in acknowledged:
            what = f"{profile.name} has no reversion timer for {name!r}: it stays as written"
            fix = f'acknowledge it: no_reversion = ["{name}"], or take it out of `allow`'
            raise ConfigError(what, where=f"{path}.allow", fix=fix)
    return acknowledged


def _template(text: str, pattern: Pattern, where: str) -> Template:
    return parse_template(text, pattern.variables, where)


def _whole(text: str, where: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ConfigError(f"{text!r} is not a position", where=where, fix="write a number or {position}")
    return int(text)
