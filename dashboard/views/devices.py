"""Devices & data: how many sources are good, stale or bad, and each by age."""

import streamlit as st

from igoudar.dashboard.charts.devices import count_parts, device_list
from igoudar.dashboard.elements import box
from igoudar.dashboard.frame import TICK_S, words
from igoudar.dashboard.source import source


@st.fragment(run_every=TICK_S)
def health() -> None:
    """Counts and list."""
    said, devices = words(), source().devices().document
    box("device_counts", count_parts(devices, said), css="ig-tiles six")
    box("device_list", [("list", device_list(devices, said))], css="ig-lists")


health()
