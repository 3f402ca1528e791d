"""Control: who may act, what waits for a person, what is asked of the site, what was done."""

from datetime import UTC, datetime

import streamlit as st

from igoudar.dashboard.actions import acts_done, ask_pending, remember
from igoudar.dashboard.charts.events import events_table, limit_panel
from igoudar.dashboard.charts.hands import hands_panel, modes_panel, overrides_table
from igoudar.dashboard.charts.proposals import proposals_table, record_table
from igoudar.dashboard.elements import box
from igoudar.dashboard.frame import TICK_S, words
from igoudar.dashboard.source import source

NEVER = datetime.min.replace(tzinfo=UTC)  # without the API there are no rows to date


@st.fragment(run_every=TICK_S)
def panels() -> None:
    """Everything on the page."""
    said, api = words(), source()
    events, status = api.events().document, api.status().document
    mode, now = api.mode().document, events.time if events else status.time if status else NEVER
    parts = [
        ("hands", hands_panel(mode, api.hands_off().document, said)),
        ("limit", limit_panel(events, said)),
        ("proposals", proposals_table(api.proposals().document, now, said)),
        ("events", events_table(events, said)),
        ("modes", modes_panel(mode, said)),
        ("overrides", overrides_table(api.overrides().document, now, said)),
        ("record", record_table(api.actions().document, now, said)),
    ]
    remember(box("control", parts, css="ig-lists", epoch=acts_done()))


panels()
ask_pending()
