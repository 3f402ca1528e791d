"""The eight tiles of the overview."""

from collections.abc import Sequence
from datetime import datetime

from igoudar.control.scene import Scene
from igoudar.control.schema import QualityWord, Text, Tile
from igoudar.control.text import text
from igoudar.control.views.racks import INLET_LOW_C, worst_inlet
from igoudar.core.model import JobState, Kind

PUE_LIMIT = 1.3  # Climate Neutral Data Centre Pact, cool climates (KPIS.md, section 2)
SHARE_BAND = (0.75, 1.0)  # the pact's 75 % renewable from 2025 on


def tiles(scene: Scene) -> list[Tile]:
    """All of them, in the order of the screen."""
    return [
        _share(scene),
        _pue(scene),
        _it_load(scene),
        _battery(scene),
        _grid(scene),
        _inlet(scene),
        _jobs(scene),
        _quality(scene),
    ]


def _share(scene: Scene) -> Tile:
    value = scene.renewable_share.value
    return Tile(
        code="renewable_share",
        value=scene.renewable_share_now.value,
        unit="ratio",
        quality=_word(value, scene.fresh),
        history=_zip(scene.day.time, scene.day.renewable_share),
        band=SHARE_BAND,
        note=_note(scene, "control.tile_day_share", share=100.0 * value) if value is not None else None,
    )


def _pue(scene: Scene) -> Tile:
    value = scene.pue.value
    return Tile(
        code="pue",
        value=scene.pue_now.value,
        unit="ratio",
        quality=_word(value, scene.fresh),
        history=_zip(scene.day.time, scene.day.pue),
        band=(1.0, PUE_LIMIT),
        limit=PUE_LIMIT,
        note=_note(scene, "control.tile_day_pue", pue=value) if value is not None else None,
    )


def _it_load(scene: Scene) -> Tile:
    site = scene.roster.site
    return Tile(
        code="it_load",
        value=scene.powers.it_w,
        unit="w",
        quality=_word(scene.powers.it_w, scene.fresh),
        history=_zip(scene.day.time, scene.day.it_w),
        band=(sum(rack.idle_w for rack in site.racks), 0.95 * site.it_w),
        limit=site.it_w,
        note=_note(scene, "control.tile_rated", rated_w=site.it_w),
        priority=_worst(scene, "it", "transformer"),
    )


def _battery(scene: Scene) -> Tile:
    bank = scene.roster.site.battery
    power_w = scene.powers.battery_w
    code = "control.tile_battery_out" if (power_w or 0.0) >= 0 else "control.tile_battery_in"
    devices = [device.name for device in scene.roster.kinds.get(Kind.BATTERY, ())]
    return Tile(
        code="battery",
        value=scene.soc_pct,
        unit="pct",
        quality=_word(scene.soc_pct, scene.fresh),
        history=list(scene.histories.get("battery", [])),
        band=(bank.soc_min_pct, bank.soc_max_pct),
        note=_note(scene, code, power_w=abs(power_w)) if power_w is not None else None,
        priority=scene.priority(*devices),
    )


def _grid(scene: Scene) -> Tile:
    limit_w = scene.roster.site.grid.import_limit_w
    grid_w = scene.powers.grid_w
    return Tile(
        code="grid_import",
        value=max(0.0, grid_w) if grid_w is not None else None,
        unit="w",
        quality=_word(grid_w, scene.fresh),
        history=_zip(scene.day.time, scene.day.import_w),
        band=(0.0, limit_w) if limit_w else None,
        limit=limit_w or None,
        note=_note(scene, "control.tile_limit", limit_w=limit_w) if limit_w else None,
        priority=_worst(scene, "grid"),
    )


def _inlet(scene: Scene) -> Tile:
    worst = worst_inlet(scene)
    limit_c = scene.roster.site.cooling.inlet_limit_c
    devices = [device.name for device in scene.roster.kinds.get(Kind.RACK_SENSORS, ())]
    over = [
        a.priority
        for a in scene.alarms
        if a.life.active and a.source in devices and a.code != "device_silent"
    ]
    return Tile(
        code="worst_inlet",
        value=worst[1] if worst else None,
        unit="c",
        quality=_word(worst, scene.fresh),
        history=list(scene.histories.get("worst_inlet", [])),
        band=(INLET_LOW_C, limit_c),
        limit=limit_c,
        note=_note(scene, "control.tile_inlet", rack=worst[0], limit_c=limit_c) if worst else None,
        priority=min(over, default=None),
    )


def _jobs(scene: Scene) -> Tile:
    waiting = waiting_jobs(scene)
    running = len([j for j in scene.queue.jobs if j.state is JobState.RUNNING]) if scene.queue else 0
    return Tile(
        code="jobs_waiting",
        value=waiting,
        unit="count",
        quality="good" if waiting is not None else "stale",
        history=list(scene.histories.get("jobs_waiting", [])),
        note=_note(scene, "control.tile_jobs", running=running) if waiting is not None else None,
    )


def _quality(scene: Scene) -> Tile:
    devices = len(scene.roster.devices)
    silent = devices - scene.answering
    return Tile(
        code="data_quality",
        value=data_quality(scene),
        unit="ratio",
        quality="good" if scene.fresh else "stale",
        history=list(scene.histories.get("data_quality", [])),
        band=(0.99, 1.0),
        note=_note(scene, "control.tile_silent", silent=silent, devices=devices),
    )


def waiting_jobs(scene: Scene) -> int | None:
    """Jobs that wait or are held; None when the scheduler does not answer."""
    if scene.queue is None:
        return None
    return sum(job.state in (JobState.WAITING, JobState.HELD) for job in scene.queue.jobs)


def data_quality(scene: Scene) -> float | None:
    """Share of the devices that answer."""
    return scene.answering / len(scene.roster.devices) if scene.roster.devices else None


def _worst(scene: Scene, *roles: str) -> int | None:
    return scene.priority(*(d.name for role in roles for d in scene.roster.meters.get(role, ())))


def _zip(times: Sequence[datetime], values: Sequence[float | None]) -> list[tuple[datetime, float | None]]:
    return list(zip(times, values, strict=True))


def _word(value: object, fresh: bool) -> QualityWord:
    return "stale" if value is None or not fresh else "good"


def _note(scene: Scene, code: str, **params: object) -> Text:
    return text(code, scene.zone, **params)
