"""Colours of the dashboard, light and dark: the one place that CSS, Streamlit and ECharts take them from."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Literal

Scheme = Literal["light", "dark"]

# role: (light, dark). Grey surfaces, muted hues for sources, saturated colour for abnormal states only.
COLOURS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "page": ("#E6E8EA", "#1A1E21"),
        "panel": ("#F3F4F5", "#23292D"),
        "well": ("#E6E8EA", "#1A1E21"),
        "line": ("#C3C9CE", "#39424A"),
        "text": ("#1E262B", "#DCE2E6"),
        "second": ("#4F5B64", "#A3AFB8"),
        "band": ("#D3D9DD", "#37414A"),
        "hover": ("#D5D9DD", "#39424A"),
        "accent": ("#2B5C7F", "#7FB0D6"),
        "renewable": ("#2F6B4F", "#8FC7A6"),
        "solar": ("#B99640", "#C7A95C"),
        "wind": ("#5D86A3", "#7FA6C0"),
        "battery": ("#5F8A78", "#7FA896"),
        "grid": ("#7C7189", "#A498B3"),
        "it": ("#5C6770", "#9AA5AD"),
        "cooling": ("#7F9FA8", "#7FA0A6"),
        "desalination": ("#4F7F8C", "#6FA3B0"),
        "electrolyser": ("#7D8A5A", "#A3AF7D"),
        "losses": ("#A3A8AD", "#6A747C"),
        "bus": ("#4F5B64", "#A9B3BA"),
        "muted": ("#8A949B", "#78848D"),
        "load_cooling": ("#C6CBD3", "#414B54"),
        "load_urgent": ("#8A939B", "#5F6A73"),
        "load_drives": ("#A9B3B7", "#76838A"),
        "load_flexible": ("#85A7C0", "#4C7896"),
        "p1": ("#C8201B", "#FF5A4F"),
        "p2": ("#C75C00", "#FF9A3D"),
        "p3": ("#9A7B00", "#F0CB3C"),
        "on_priority": ("#FFFFFF", "#14181B"),
        "step0": ("#DDE2E4", "#2E363B"),
        "step1": ("#CBD2D7", "#3C464D"),
        "step2": ("#B6C0C8", "#4D5962"),
        "step3": ("#9BAAB5", "#62707A"),
    }
)


def colour(role: str, scheme: Scheme) -> str:
    """Hexadecimal colour of a role."""
    return COLOURS[role][scheme == "dark"]


@cache
def stylesheet() -> str:
    """The page's CSS: one variable per role, then `dashboard.css`."""
    roles = "".join(f"--{role}:light-dark({light},{dark});" for role, (light, dark) in COLOURS.items())
    rules = resources.files("igoudar.dashboard").joinpath("dashboard.css").read_text(encoding="utf-8")
    return f".stApp{{{roles}}}\n{rules}"


def streamlit_options() -> Iterator[tuple[str, str]]:
    """Streamlit's own theme; without a `base` it follows the browser's preference."""
    yield "theme.baseRadius", "4px"
    for scheme in ("light", "dark"):
        for option, role in (
            ("primaryColor", "accent"),
            ("backgroundColor", "page"),
            ("secondaryBackgroundColor", "panel"),
            ("textColor", "text"),
            ("borderColor", "line"),
            ("linkColor", "accent"),
        ):
            yield f"theme.{scheme}.{option}", colour(role, "dark" if scheme == "dark" else "light")
