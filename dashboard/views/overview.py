"""Overview: eight figures, the power flow, past-plan-forecast, and three sentences."""

from html import escape

import streamlit as st

from igoudar.dashboard.charts.flow import flow_markup, reference_w
from igoudar.dashboard.charts.marks import empty_panel
from igoudar.dashboard.charts.sentences import sentence_parts
from igoudar.dashboard.charts.tiles import tiles_parts
from igoudar.dashboard.charts.timeline import timeline_option, timeline_range, timeline_spoken
from igoudar.dashboard.elements import box
from igoudar.dashboard.frame import SLOW_S, TICK_S, scheme, words
from igoudar.dashboard.source import source
from igoudar.dashboard.words import power_unit


@st.fragment(run_every=TICK_S)
def tiles() -> None:
    """KPI tiles."""
    overview = source().overview().document
    box("tiles", tiles_parts(overview.tiles if overview else None, words()), css="ig-tiles")


@st.fragment(run_every=TICK_S)
def flow() -> None:
    """Power now."""
    box("flow", [("flow", flow_markup(source().overview().document, words()))])


@st.fragment(run_every=SLOW_S)
def chart() -> None:
    """Forecast, plan and actual."""
    said, overview = words(), source().overview().document
    if overview is None:
        box("chart_none", [("none", empty_panel(said("chart_title"), said, "ig-flow"))])
        return
    unit = power_unit(reference_w(overview))
    with st.container(key="ig_chart"):
        span = f"{unit.symbol} · {escape(timeline_range(overview.chart, said, overview.zone))}"
        box("chart_head", [("head", f"<h2>{said.html('chart_title')} <span>{span}</span></h2>")])
        st.echarts_chart(
            timeline_option(overview.chart, said, unit, scheme()),
            theme=None,
            height="stretch",
            key="timeline",
            alt=timeline_spoken(overview.chart, said, unit),
        )


@st.fragment(run_every=TICK_S)
def sentences() -> None:
    """Now, next, needs you."""
    box("sentences", sentence_parts(source().overview().document, words()), css="ig-says")


def page() -> None:
    """The page from top to bottom."""
    tiles()
    left, right = st.columns([5, 8])
    with left:
        flow()
    with right:
        chart()
    sentences()


page()
