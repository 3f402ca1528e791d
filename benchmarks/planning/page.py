"""The measured part of docs/planner.md, between two marks; what people write around it stays."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.planning.bars import Bar, bars

PAGE = Path(__file__).parents[2] / "docs" / "planner.md"
BEGIN, END = "<!-- measured: begin (make bench BENCH=planner) -->", "<!-- measured: end -->"
HEADS = (
    *(
        "policy",
        "cost",
        "to bound",
        "to reachable",
        "to greedy",
        "renewable %",
        "of the gain %",
        "import MWh",
    ),
    *("peak MW", "weeks ahead", "missed", "beyond", "stops/job", "p95 delay h", "solve p99 ms", "wall s"),
)


def write_page(figures: Mapping[str, Any]) -> None:
    """Put the tables of this run between the marks."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{_measured(figures)}{END}{after}", encoding="utf-8")


def _measured(figures: Mapping[str, Any]) -> str:
    parts = [f"Machine: {figures['machine']}; load average at the end {figures['load_average']:.1f}.\n"]
    parts += [_bars(bars(figures))]
    for case in figures["cases"]:
        parts += [f"### {case['case']}\n", _table(HEADS, [_row(n, r) for n, r in case["policies"].items()])]
    if "year" in figures:
        told = ", ".join(figures["year"]["policies"])
        parts.append(f"Synthetic year ({told}, one core): {figures['year']['elapsed_s']:.0f} s.\n")
    return "\n".join(parts)


def _bars(found: Sequence[Bar]) -> str:
    rows = [[b.case, b.what, _figure(b.value, 3), _limit(b), _verdict(b)] for b in found]
    return "### Bars\n\n" + _table(("case", "bar", "measured", "limit", "holds"), rows)


def _limit(bar: Bar) -> str:
    return f"{'at least' if bar.least else 'at most'} {bar.limit:g}"


def _verdict(bar: Bar) -> str:
    if bar.holds is None or bar.value is None:
        return "not measured"
    return "yes" if bar.holds else f"**no**, by {abs(bar.value - bar.limit):.3g}"


def _row(name: str, row: Mapping[str, Any]) -> list[str]:
    figures = (
        *(
            (row["cost"], 1, 0),
            (row["to_bound"], 1, 4),
            (row["to_reachable"], 1, 4),
            (row["to_greedy"], 1, 4),
        ),
        *((row["renewable_share"], 100, 2), (row["gain_share"], 100, 1), (row["import_wh"], 1e-6, 0)),
        *((row["import_peak_w"], 1e-6, 2), (row.get("weeks_ahead_of_greedy"), 1, 0)),
        *(
            (row["deadlines_missed"], 1, 0),
            (row["missed_beyond_run_now"], 1, 0),
            (row["stops_per_job"], 1, 3),
        ),
        *((row["delay_p95_s"], 1 / 3600, 1), (row["solve_p99_s"], 1e3, 0), (row["elapsed_s"], 1, 0)),
    )
    marked = f"{name} (not comparable)" if row["comparable"] is False else name
    return [marked, *(_figure(None if v is None else v * unit, digits) for v, unit, digits in figures)]


def _figure(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
