"""The table of docs/demand-response.md that the emergency measurement writes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "demand-response.md"
BEGIN, END = "<!-- measured: begin (python -m benchmarks.emergency) -->", "<!-- measured: end (emergency) -->"
HEADS = (
    *("case", "load before [MW]", "limit [MW]", "at the meter after [s]", "minutes met/missed/unknown"),
    *("quarters met/missed/unknown", "urgent untouched", "load average of the machine"),
)


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
    reached = case["reached_wall_s"]
    return [
        name,
        f"{case['before']['facility_w'] / 1e6:.1f}",
        f"{event['limit_w'] / 1e6:.1f}",
        "-" if reached is None else f"{reached:.1f}",
        *told,
        "yes" if case["urgent_untouched"] and not case["audit"] else "**no**",
        f"{case['load_average']:.1f}",
    ]
