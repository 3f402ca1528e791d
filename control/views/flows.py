"""The power flow: sources into the campus bus, sinks out of it, balanced to the eye."""

from collections.abc import Mapping

from igoudar.control.ledger import EXPORT, IMPORT
from igoudar.control.scene import Scene
from igoudar.control.schema import Flow
from igoudar.control.text import text

Means = Mapping[tuple[str, str], float]


def flows(scene: Scene) -> tuple[list[Flow], list[Flow], float | None]:
    """Sources, sinks and the bus between them [W]; null arms while a meter is missing.

    What the meters don't explain shows as losses, or as unaccounted supply: errors of metering stay visible.
    """
    means = scene.means
    if means is None or scene.picture.lost:
        return _unknown(("solar", "wind", "grid", "battery")), _unknown(("it", "cooling", "battery")), None
    sources, sinks = _sources(means), _sinks(means)
    supplied_w, used_w = sum(sources.values()), sum(sinks.values())
    if supplied_w >= used_w:
        sinks["losses"] = supplied_w - used_w
    else:
        sources["unaccounted"] = used_w - supplied_w
    return _arms(scene, sources), _arms(scene, sinks), max(supplied_w, used_w)


def _sources(means: Means) -> dict[str, float]:
    grid_w, battery_w = _net(means, "grid"), _net(means, "battery")
    return {
        "solar": max(0.0, means.get(("pv", IMPORT), 0.0)),
        "wind": max(0.0, means.get(("wind", IMPORT), 0.0)),
        "grid": max(0.0, grid_w),
        "battery": max(0.0, battery_w),
    }


def _sinks(means: Means) -> dict[str, float]:
    grid_w, battery_w = _net(means, "grid"), _net(means, "battery")
    it_w = means.get(("it", IMPORT), 0.0)
    sinks = {
        "it": it_w,
        "cooling": max(0.0, means.get(("transformer", IMPORT), it_w) - it_w),
        "battery": max(0.0, -battery_w),
        "desalination": means.get(("desalination", IMPORT), 0.0),
        "electrolyser": means.get(("electrolyser", IMPORT), 0.0),
        "export": max(0.0, -grid_w),
    }
    optional = ("desalination", "electrolyser")
    return {code: w for code, w in sinks.items() if code not in optional or (code, IMPORT) in means}


def _net(means: Means, role: str) -> float:
    return means.get((role, IMPORT), 0.0) - means.get((role, EXPORT), 0.0)


def _arms(scene: Scene, powers: Mapping[str, float]) -> list[Flow]:
    site = scene.roster.site
    notes = {
        "grid": text("control.flow_limit", limit_w=site.grid.import_limit_w),
        "it": text("control.flow_racks", count=len(site.racks)),
    }
    if scene.soc_pct is not None:
        notes["battery"] = text("control.flow_charge", soc_pct=scene.soc_pct)
    if scene.pue.value is not None:
        notes["cooling"] = text("control.flow_pue", pue=f"{scene.pue.value:.2f}")
    return [Flow(code=code, power_w=power_w, note=notes.get(code)) for code, power_w in powers.items()]


def _unknown(codes: tuple[str, ...]) -> list[Flow]:
    return [Flow(code=code, power_w=None) for code in codes]
