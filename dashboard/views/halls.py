"""Halls & racks: floor plan, hall cards, one rack close, the warmest."""

import streamlit as st

from igoudar.control.schema import Halls, HallView
from igoudar.dashboard.charts.floor import floor_data
from igoudar.dashboard.charts.halls import hall_cards, rack_panel, warmest, warmest_panel
from igoudar.dashboard.charts.marks import empty_panel
from igoudar.dashboard.elements import box, floor
from igoudar.dashboard.frame import TICK_S, words
from igoudar.dashboard.source import source
from igoudar.dashboard.words import Words

WHOLE_MAP = 600  # racks up to which all halls are on one map; above, one hall at a time


@st.fragment(run_every=TICK_S)
def body() -> None:
    """Everything on the page: a click on the map opens the rack on the right."""
    said, halls = words(), source().halls().document
    if halls is None:
        box("halls_none", [("none", empty_panel(said("floor_plan"), said, "ig-flow"))])
        return
    selected = _selected(halls)
    left, right = st.columns([64, 18])
    with left:
        _map(halls, selected, said)
    with right:
        _beside(halls, selected, said)


def _map(halls: Halls, selected: str | None, said: Words) -> None:
    opened = floor("floor", floor_data(halls, _shown_halls(halls, said), selected, said))
    _open(opened)
    box("hall_cards", hall_cards(halls, said), css="ig-cards")


def _beside(halls: Halls, selected: str | None, said: Words) -> None:
    detail = source().rack(selected).document if selected else None
    parts = [("rack", rack_panel(detail, selected or "–", said)), ("warmest", warmest_panel(halls, said))]
    _open(box("rack_detail", parts, css="ig-side"))


def _shown_halls(halls: Halls, said: Words) -> list[HallView]:
    if len(halls.racks) <= WHOLE_MAP:
        return halls.halls
    names = [hall.name for hall in halls.halls]
    chosen = st.selectbox(said("choose_hall"), names, key="hall")
    return [hall for hall in halls.halls if hall.name == chosen]


def _selected(halls: Halls) -> str | None:
    """The rack a person opened, else the warmest."""
    names = {rack.name for rack in halls.racks}
    chosen = st.session_state.get("rack")
    if chosen in names:
        return str(chosen)
    return next((rack.name for rack in (*warmest(halls.racks), *halls.racks)), None)


def _open(rack: str | None) -> None:
    if rack and rack != st.session_state.get("rack"):
        st.session_state["rack"] = rack
        st.rerun(scope="fragment")


body()
