"""The generated part of docs/glossary.md: every point that the profiles give."""

from collections.abc import Mapping

from igoudar.core.model import Kind, Profile
from igoudar.core.units import SYMBOLS, unit_of

BEGIN = "<!-- points: begin (generated from the profiles, do not edit) -->"
END = "<!-- points: end -->"


def points_section(profiles: Mapping[str, Profile]) -> str:
    """Markdown tables of all points by device kind: unit, what is special, the profiles that have it."""
    return "\n\n".join([BEGIN, *(_kind(kind, profiles) for kind in Kind if _of(kind, profiles)), END])


def replace_points(text: str, section: str) -> str:
    """`text` with its generated part replaced by `section`."""
    return text[: text.index(BEGIN)] + section + text[text.index(END) + len(END) :]


def _of(kind: Kind, profiles: Mapping[str, Profile]) -> list[Profile]:
    return sorted((p for p in profiles.values() if p.kind is kind), key=lambda profile: profile.name)


def _kind(kind: Kind, profiles: Mapping[str, Profile]) -> str:
    having = _of(kind, profiles)
    names = dict.fromkeys(name for profile in having for name in profile.points)
    rows = [_row(name, having) for name in names]
    return "\n".join([f"### {kind}", "", "| point | unit | | profiles |", "|---|---|---|---|", *rows])


def _row(name: str, profiles: list[Profile]) -> str:
    having = [profile for profile in profiles if name in profile.points]
    points = [profile.points[name] for profile in having]
    special = [
        word
        for word, applies in (
            ("counter", lambda p: p.counter),
            ("writable", lambda p: p.writable is not None),
        )
        if any(map(applies, points))
    ]
    unit = SYMBOLS[unit_of(name)] or unit_of(name)
    return f"| `{name}` | {unit} | {', '.join(special)} | {', '.join(profile.name for profile in having)} |"
