"""The first page in one document."""

from igoudar.control.scene import Scene
from igoudar.control.schema import Overview
from igoudar.control.views.chart import chart
from igoudar.control.views.flows import flows
from igoudar.control.views.sentences import sentences
from igoudar.control.views.tiles import tiles


def overview(scene: Scene) -> Overview:
    """Tiles, power flow, chart and sentences of one instant."""
    sources, sinks, bus_w = flows(scene)
    return Overview(
        time=scene.now,
        zone=scene.zone,
        site=scene.roster.site.name,
        simulated=scene.simulated,
        mode=scene.mode.mode,
        tiles=tiles(scene),
        sources=sources,
        sinks=sinks,
        bus_w=bus_w,
        chart=chart(scene),
        sentences=sentences(scene),
    )
