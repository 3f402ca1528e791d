"""The floor plan, its halls and one rack, close."""

from collections.abc import Sequence
from datetime import datetime

from igoudar.control.errors import UnknownNameError
from igoudar.control.scene import Scene
from igoudar.control.schema import Halls, HallView, QualityWord, RackDetail, RackView
from igoudar.core.model import Device, JobState, Kind, Quality, Rack
from igoudar.core.said import said

INLET_LOW_C = 18.0  # ASHRAE recommended range, lower end
TRAYS = 18  # compute trays of a GB200 rack (DEVICES.md)
GPUS_PER_TRAY = 4


def halls(scene: Scene) -> Halls:
    """All racks with their temperature and power, and one card per hall."""
    site = scene.roster.site
    racks = [rack_view(scene, rack) for rack in site.racks]
    return Halls(
        time=scene.now,
        inlet_limit_c=site.cooling.inlet_limit_c,
        racks=racks,
        halls=[_hall(scene, hall.name, [r for r in racks if r.hall == hall.name]) for hall in site.halls],
    )


def rack_view(scene: Scene, rack: Rack) -> RackView:
    """One rack: worst inlet and the sum of its feeds."""
    sensors, pdus = _of(scene, rack.name, Kind.RACK_SENSORS), _of(scene, rack.name, Kind.PDU)
    return RackView(
        name=rack.name,
        hall=rack.hall,
        row=rack.row,
        position=rack.position,
        inlet_c=_worst(scene, sensors, "inlet_c"),
        power_w=scene.picture.total(pdus, "active_power_w"),
        quality=_quality(scene, sensors, pdus),
        priority=scene.priority(*(device.name for device in scene.roster.subjects.get(rack.name, ()))),
    )


def worst_inlet(scene: Scene) -> tuple[str, float] | None:
    """The warmest rack and its inlet [C]: the worst sensor bounds cooling, not the mean."""
    sensors = scene.roster.kinds.get(Kind.RACK_SENSORS, ())
    found = [
        (d.subject, value) for d in sensors if (value := scene.picture.value(d.name, "inlet_c")) is not None
    ]
    return max(found, key=lambda pair: pair[1], default=None)


def rack_detail(scene: Scene, name: str, history: Sequence[tuple[datetime, float | None]]) -> RackDetail:
    """One rack with its liquid loop, GPUs and jobs.

    Raises:
        UnknownNameError: when the site has no such rack.
    """
    rack = scene.roster.racks.get(name)
    if rack is None:
        raise said(UnknownNameError, "refusal.no_rack", where=name)
    sensors, gpus = _of(scene, name, Kind.RACK_SENSORS), _of(scene, name, Kind.GPU)
    picture, running = scene.picture, scene.queue.jobs if scene.queue else ()
    return RackDetail(
        rack=rack_view(scene, rack),
        peak_w=rack.peak_w,
        gpus=rack.gpus,
        liquid_supply_c=picture.mean(sensors, "liquid_supply_c"),
        liquid_return_c=picture.mean(sensors, "liquid_return_c"),
        liquid_flow_lpm=picture.total(sensors, "liquid_flow_lpm"),
        gpu_utilisation_pct=picture.mean(gpus, "gpu_utilisation_pct"),
        gpu_temperature_c=picture.mean(gpus, "gpu_temperature_c"),
        jobs=[job.name for job in running if job.state is JobState.RUNNING and name in job.racks],
        inlet_history=list(history),
        inlet_band_c=(INLET_LOW_C, scene.roster.site.cooling.inlet_limit_c),
        trays=TRAYS if rack.gpus == TRAYS * GPUS_PER_TRAY else max(1, rack.gpus // GPUS_PER_TRAY),
    )


def inlet_sensors(scene: Scene, rack: str) -> tuple[Device, ...]:
    """The devices that measure a rack's inlet."""
    return _of(scene, rack, Kind.RACK_SENSORS)


def _hall(scene: Scene, name: str, views: Sequence[RackView]) -> HallView:
    racks = [rack for rack in scene.roster.site.racks if rack.hall == name]
    known_w = [view.power_w for view in views if view.power_w is not None]
    inlets = [(view.inlet_c, view.name) for view in views if view.inlet_c is not None]
    worst = max(inlets, default=(None, None))
    cdus = {rack.cdu for rack in racks if rack.cdu}
    loops = [d for cdu in sorted(cdus) for d in _of(scene, cdu, Kind.CDU)]
    supply, back = scene.picture.mean(loops, "supply_c"), scene.picture.mean(loops, "return_c")
    return HallView(
        name=name,
        racks=len(racks),
        power_w=sum(known_w) if views and len(known_w) == len(views) else None,
        power_band_w=(sum(r.idle_w for r in racks), 0.95 * sum(r.peak_w for r in racks)),
        power_max_w=sum(r.peak_w for r in racks),
        inlet_worst_c=worst[0],
        inlet_worst_rack=worst[1],
        liquid_supply_c=supply,
        liquid_delta_k=back - supply if supply is not None and back is not None else None,
    )


def _of(scene: Scene, subject: str, kind: Kind) -> tuple[Device, ...]:
    return tuple(device for device in scene.roster.subjects.get(subject, ()) if device.kind is kind)


def _worst(scene: Scene, devices: Sequence[Device], point: str) -> float | None:
    found = [scene.picture.value(device.name, point) for device in devices]
    return max((value for value in found if value is not None), default=None)


def _quality(scene: Scene, sensors: Sequence[Device], pdus: Sequence[Device]) -> QualityWord:
    devices = (*sensors, *pdus)
    if not devices:
        return "off"
    if any(scene.silent(device.name) for device in devices):
        return "stale"
    checks = [(device, "inlet_c") for device in sensors] + [(device, "active_power_w") for device in pdus]
    worst = max(scene.picture.quality(device.name, point) for device, point in checks)
    words: dict[Quality, QualityWord] = {Quality.GOOD: "good", Quality.UNCERTAIN: "uncertain"}
    return words.get(worst, "bad")
