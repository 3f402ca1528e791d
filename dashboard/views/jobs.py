"""Jobs: waiting and running, why, with how much slack; hold and release."""

import streamlit as st

from igoudar.dashboard.actions import ask_pending, remember
from igoudar.dashboard.charts.jobs import job_parts
from igoudar.dashboard.elements import box
from igoudar.dashboard.frame import TICK_S, words
from igoudar.dashboard.source import source


@st.fragment(run_every=TICK_S)
def lists() -> None:
    """Both lists."""
    remember(box("jobs", job_parts(source().jobs().document, words()), css="ig-lists"))


lists()
ask_pending()
