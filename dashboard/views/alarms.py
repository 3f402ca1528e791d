"""Alarms: what is wrong, what to do, acknowledge."""

import streamlit as st

from igoudar.dashboard.actions import ask_pending, remember
from igoudar.dashboard.charts.alarms import alarm_list
from igoudar.dashboard.elements import box
from igoudar.dashboard.frame import TICK_S, words
from igoudar.dashboard.source import source


@st.fragment(run_every=TICK_S)
def active() -> None:
    """The list."""
    remember(box("alarms", [("list", alarm_list(source().alarms().document, words()))], css="ig-lists"))


active()
ask_pending()
