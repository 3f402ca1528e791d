"""The two page components: pieces of markup that tick, and the rack map."""

from collections.abc import Callable, Sequence
from functools import cache
from importlib import resources
from typing import Any

import streamlit as st

Parts = Sequence[tuple[str, str]]

_FLOOR = (
    '<section class="ig-panel ig-floor"><div class="ig-floor-head"><h2>-<span></span></h2>'
    '<div class="ig-switch" role="group"><button type="button" data-view="temperature"></button>'
    '<button type="button" data-view="power"></button></div></div>'
    '<select class="ig-pick"></select><div class="ig-halls"></div><div class="ig-legend"></div></section>'
)


def box(
    key: str,
    parts: Parts,
    *,
    css: str = "",
    live: str | None = None,
    epoch: int = 0,
    act: Callable[[], None] | None = None,
) -> str | None:
    """Show named pieces of trusted markup; returns the `data-act` that was clicked.

    Rows that a person picked stay picked until `epoch` is another one.

    The component bypasses sanitising: whatever stands in `parts` must have its names escaped.
    """
    data: dict[str, Any] = {"parts": [list(part) for part in parts], "css": css, "epoch": epoch}
    if live is not None:
        data["live"] = live
    result = _component("ig_box", '<div class="ig-box"></div>', "box.js")(
        key=key, data=data, on_act_change=act or _nothing
    )
    clicked: str | None = result.get("act")
    return clicked


def floor(key: str, data: dict[str, Any]) -> str | None:
    """Show the rack map; returns the rack that was opened."""
    result = _component("ig_floor", _FLOOR, "floor.js")(key=key, data=data, on_rack_change=_nothing)
    opened: str | None = result.get("rack")
    return opened


def _nothing() -> None:
    """Streamlit hands out a trigger only where a callback is named."""


@cache
def _script(name: str) -> str:
    return resources.files("igoudar.dashboard").joinpath(name).read_text(encoding="utf-8")


@cache
def _component(name: str, html: str, script: str) -> Any:
    return st.components.v2.component(name, html=html, js=_script(script), isolate_styles=False)
