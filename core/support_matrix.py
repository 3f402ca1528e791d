"""The generated part of docs/devices.md: which products are known, from where, and how well."""

from collections.abc import Mapping

from igoudar.core.model import Kind, Profile

BEGIN = "<!-- devices: begin (generated from the profiles, do not edit) -->"
END = "<!-- devices: end -->"
HEAD = "| profile | products | protocol | verified | points | writable | watched | source |"
NONE = "-"


def devices_section(profiles: Mapping[str, Profile]) -> str:
    """Markdown tables of all profiles by device kind."""
    return "\n\n".join([BEGIN, _summary(profiles), *_kinds(profiles), END])


def replace_devices(text: str, section: str) -> str:
    """`text` with its generated part replaced by `section`."""
    return text[: text.index(BEGIN)] + section + text[text.index(END) + len(END) :]


def _summary(profiles: Mapping[str, Profile]) -> str:
    products = sum(len(profile.products) for profile in profiles.values())
    return f"{len(profiles)} profiles, {products} products or series."


def _kinds(profiles: Mapping[str, Profile]) -> list[str]:
    tables = []
    for kind in Kind:
        rows = [_row(p) for _, p in sorted(profiles.items()) if p.kind is kind]
        if rows:
            tables.append("\n".join([f"## {kind}", "", HEAD, "|---" * 8 + "|", *rows]))
    return tables


def _row(profile: Profile) -> str:
    writable = [f"`{point.name}`" for point in profile.points.values() if point.writable]
    cells = (
        f"`{profile.name}`",
        "; ".join(profile.products),
        profile.protocol,
        profile.verified,
        str(len(profile.points)),
        ", ".join(writable) or NONE,
        ", ".join(_watched(profile)) or NONE,
        profile.source,
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _watched(profile: Profile) -> list[str]:
    points = profile.points.values()
    rules = {
        "counters": any(point.counter for point in points),
        "steps": any(point.max_step_per_s and not point.counter for point in points),
        "frozen": profile.frozen_s > 0 or any(point.frozen_s for point in points),
        "clock": bool(profile.clock),
    }
    return [word for word, applies in rules.items() if applies]
