"""The frame of every page: language, style, alarm strip, the banner when nothing is live."""

import streamlit as st

from igoudar.core.i18n import LANGUAGES, choose_language
from igoudar.dashboard.charts.strip import problem_banner, spoken_alarms, strip_parts
from igoudar.dashboard.elements import box
from igoudar.dashboard.source import source
from igoudar.dashboard.theme import Scheme, stylesheet
from igoudar.dashboard.words import Words

TICK_S = 2.0  # live blocks
SLOW_S = 30.0  # time charts


def language() -> str:
    """Language of this screen: `?lang=`, else what it had, else the browser's."""
    asked = st.query_params.get("lang")
    if asked in LANGUAGES:
        st.session_state["lang"] = asked
    elif "lang" in st.session_state:
        st.query_params["lang"] = st.session_state["lang"]  # a page change drops the query
    return str(st.session_state.get("lang") or choose_language(st.context.locale))


def words() -> Words:
    """This screen's words, in the site's zone."""
    status = source().status().document
    return Words(language(), status.zone if status else "UTC")


def scheme() -> Scheme:
    """Light or dark, as the browser shows it."""
    return "dark" if st.context.theme.type == "dark" else "light"


def style() -> None:
    """The page's CSS."""
    st.html(f"<style>{stylesheet()}</style>")


@st.fragment(run_every=TICK_S)
def strip() -> None:
    """Alarm strip, and above it the banner when the API does not answer."""
    data, said = source(), words()
    status, alarms = data.status(), data.alarms()
    problem = status.problem or alarms.problem
    parts = strip_parts(alarms.document, status.document, said)
    if problem:
        parts.append(("banner", problem_banner(problem, data.url, data.reached_at, said)))
    css = "ig-strip dead" if problem else "ig-strip"
    box("strip", parts, css=css, live=spoken_alarms(alarms.document, said))
