"""Plan & jobs: load bands under the supply, where the plan came from, waiting jobs to approve or hold."""

import streamlit as st

from igoudar.dashboard.actions import acts_done, ask_pending, remember
from igoudar.dashboard.charts.bands import bands_option, bands_spoken, bands_unit
from igoudar.dashboard.charts.jobs import running_table
from igoudar.dashboard.charts.marks import empty_panel
from igoudar.dashboard.charts.origin import origin_panel, reasons_table
from igoudar.dashboard.charts.waiting import waiting_table
from igoudar.dashboard.elements import box
from igoudar.dashboard.frame import SLOW_S, TICK_S, scheme, words
from igoudar.dashboard.source import source


@st.fragment(run_every=SLOW_S)
def chart() -> None:
    """Load bands under P50 and P10-P90."""
    said, plan = words(), source().plan().document
    if plan is None or not plan.steps:
        box("bands_none", [("none", empty_panel(said("bands_title"), said, "ig-flow"))])
        return
    with st.container(key="ig_bands"):
        span = f"{bands_unit(plan).symbol} · {said.html('bands_range', hours=len(plan.steps) // 4)}"
        box("bands_head", [("head", f"<h2>{said.html('bands_title')} <span>{span}</span></h2>")])
        st.echarts_chart(
            bands_option(plan, said, scheme()),
            theme=None,
            height="stretch",
            key="bands",
            alt=bands_spoken(plan, said),
        )


@st.fragment(run_every=TICK_S)
def lists() -> None:
    """Where the plan came from, jobs that wait, what shapes the plan, jobs that run."""
    said, plan, jobs = words(), source().plan().document, source().jobs().document
    parts = [
        ("origin", origin_panel(plan, said)),
        ("waiting", waiting_table(plan, jobs, said)),
        ("reasons", reasons_table(plan, said)),
        ("running", running_table(jobs, said)),
    ]
    remember(box("jobs", parts, css="ig-lists", epoch=acts_done()))


chart()
lists()
ask_pending()
