"""The table of docs/demand-response.md that the emergency measurement writes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "demand-response.md"
BEGIN, END = "<!-- measured: begin (python -m benchmarks.emergency) -->", "<!-- measured: end (emergency) -->"
HEADS = (
    *(
        "case",
        "before: load, import, battery [MW]",
        "limit [MW]",
        "highest reading [MW]",
        "at the meter after [s]",
    ),
    *("minutes met/missed/unknown", "quarters met/missed/unknown", "most that each lever gave [MW]"),
    *("urgent untouched", "load average of the machine"),
)
LEVERS = ("battery", "caps", "jobs", "delays", "loads")


def write_page(figures: Mapping[str, Any]) -> None:
    """Put the table between its marks."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    rows = [" | ".join(HEADS), " | ".join("---" for _ in HEADS)]
    rows += [" | ".join(_row(name, case)) for name, case in figures["cases"].items()]
    table = "\n".join(f"| {row} |" for row in rows)
    PAGE.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")


def _row(name: str, case: Mapping[str, Any]) -> list[str]:
    event = case["event"]
    told = ["/".join(str(part[key]) for key in ("met", "missed", "unknown")) for part in event["intervals"]]
    reached, before, most_w = case["reached_wall_s"], case["before"], case.get("most_w") or {}
    stood = [_mw(before.get(name)) for name in ("facility_w", "import_w", "battery_w")]
    return [
        name,
        ", ".join(stood),
        _mw(event["limit_w"]),
        _mw(case.get("highest_w")),
        "-" if reached is None else f"{reached:.1f}",
        *told,
        ", ".join(f"{name} {_mw(most_w[name])}" for name in LEVERS if most_w.get(name)) or "-",
        "yes" if case["urgent_untouched"] and not case["audit"] else "**no**",
        f"{case['load_average']:.1f}",
    ]


def _mw(power_w: float | None) -> str:
    return "-" if power_w is None else f"{power_w / 1e6:.2f}"
