"""A fleet: several sites as one, their things named "SITE/name"."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain

from igoudar.core.model import (
    BatteryBank,
    Device,
    Feed,
    FlexibleLoad,
    Grid,
    Hall,
    Rack,
    Site,
    SolarFarm,
    TlsFiles,
    WindFarm,
)
from igoudar.core.model_writes import Interlock

# A subject that every member has once; in the fleet each member's devices carry a share of the sum.
_SHARED = frozenset({"pv", "wind", "battery", "cooling", "desalination", "electrolyser", "site", "grid"})


def join(fleet: Site, members: Sequence[Site]) -> Site:
    """`fleet` with everything that its members have; powers and energies are sums."""
    return replace(
        fleet,
        halls=tuple(Hall(f"{m.name}/{hall.name}") for m in members for hall in m.halls),
        racks=tuple(chain.from_iterable(map(_racks, members))),
        feeds=tuple(chain.from_iterable(map(_feeds, members))),
        devices=tuple(chain.from_iterable(_devices(m, members) for m in members)),
        solar=_solar(members),
        wind=_wind(members),
        battery=_battery(members),
        cooling=replace(
            members[0].cooling,
            dry_coolers=sum(m.cooling.dry_coolers for m in members),
            chillers=sum(m.cooling.chillers for m in members),
        ),
        desalination=_flexible([m.desalination for m in members]),
        electrolyser=_flexible([m.electrolyser for m in members]),
        grid=_grid([m.grid for m in members]),
        alarms=tuple(dict.fromkeys(chain.from_iterable(m.alarms for m in members))),
        interlocks=tuple(chain.from_iterable(map(_interlocks, members))),
        opcua=tuple(dict.fromkeys(chain(fleet.opcua, *(m.opcua for m in members)))),
        members=tuple(m.name for m in members),
        tls=next((s.tls for s in (fleet, *members) if s.tls != TlsFiles()), TlsFiles()),
        network="; ".join(dict.fromkeys(s.network for s in (fleet, *members) if s.network)),
        sources=(*fleet.sources, *dict.fromkeys(chain.from_iterable(m.sources for m in members))),
    )


def _racks(member: Site) -> Iterator[Rack]:
    prefix = f"{member.name}/"
    for rack in member.racks:
        feeds = tuple([prefix + feed for feed in rack.feeds])
        cdu = rack.cdu and prefix + rack.cdu
        yield replace(rack, name=prefix + rack.name, hall=prefix + rack.hall, feeds=feeds, cdu=cdu)


def _feeds(member: Site) -> Iterator[Feed]:
    prefix = f"{member.name}/"
    for feed in member.feeds:
        yield replace(feed, name=prefix + feed.name, parent=feed.parent and prefix + feed.parent)


def _devices(member: Site, members: Sequence[Site]) -> Iterator[Device]:
    prefix = f"{member.name}/"
    parts = {subject: _part(subject, member, members) for subject in _SHARED}
    for device in member.devices:
        shared = device.subject in parts
        yield replace(
            device,
            name=prefix + device.name,
            subject=device.subject if shared else prefix + device.subject,
            hall=device.hall and prefix + device.hall,
            share=device.share * parts.get(device.subject, 1.0),
        )


def _interlocks(member: Site) -> Iterator[Interlock]:
    prefix = f"{member.name}/"
    for lock in member.interlocks:
        other = lock.needs_device and prefix + lock.needs_device
        yield replace(lock, device=prefix + lock.device, needs_device=other)


def _part(subject: str, member: Site, members: Sequence[Site]) -> float:
    """This member's part of the fleet's total for a shared subject."""
    sizes = [_size(subject, m) for m in members]
    total = sum(sizes)
    return _size(subject, member) / total if total else 1 / len(members)


def _size(subject: str, site: Site) -> float:
    sizes = {
        "pv": site.solar.ac_w,
        "wind": site.wind.ac_w,
        "battery": site.battery.power_w,
        "desalination": site.desalination.power_w,
        "electrolyser": site.electrolyser.power_w,
        "grid": site.grid.import_limit_w,
    }
    return sizes.get(subject, site.it_w)


def _solar(members: Sequence[Site]) -> SolarFarm:
    return replace(members[0].solar, ac_w=sum(m.solar.ac_w for m in members))


def _wind(members: Sequence[Site]) -> WindFarm:
    turbines = sum(m.wind.turbines for m in members)
    rated_w = sum(m.wind.ac_w for m in members)
    first = members[0].wind
    return replace(first, turbines=turbines, turbine_w=rated_w / turbines if turbines else first.turbine_w)


def _battery(members: Sequence[Site]) -> BatteryBank:
    return replace(
        members[0].battery,
        energy_wh=sum(m.battery.energy_wh for m in members),
        power_w=sum(m.battery.power_w for m in members),
    )


def _flexible(loads: Sequence[FlexibleLoad]) -> FlexibleLoad:
    return FlexibleLoad(sum(load.power_w for load in loads), sum(load.daily_wh for load in loads))


def _grid(grids: Sequence[Grid]) -> Grid:
    return replace(
        grids[0],
        import_limit_w=sum(g.import_limit_w for g in grids),
        export_limit_w=sum(g.export_limit_w for g in grids),
    )
