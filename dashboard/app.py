"""Entry of the dashboard, run by Streamlit."""

from pathlib import Path

import streamlit as st

from igoudar.dashboard.frame import strip, style, words

VIEWS = Path(__file__).with_name("views")
PAGES = ("overview", "plan", "halls", "devices", "alarms", "control")


def main() -> None:
    """Frame, then the chosen page."""
    said = words()
    st.set_page_config(page_title=said("page_title"), layout="wide")
    style()
    pages = [
        st.Page(VIEWS / f"{name}.py", title=said(f"page_{name}"), url_path=name, default=name == PAGES[0])
        for name in PAGES
    ]
    page = st.navigation(pages, position="top")
    strip()
    page.run()


main()
