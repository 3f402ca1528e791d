"""Where the plan came from, what gave way, and what shapes it, in words."""

from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby

from igoudar.control.schema import PlanStep, PlanView, Text
from igoudar.dashboard.charts.bands import STEP
from igoudar.dashboard.charts.marks import empty_panel
from igoudar.dashboard.charts.tables import Column, Row, table
from igoudar.dashboard.words import Words

SHOWN = 12  # stretches of the plan with one reason each
_COLUMNS = (Column("span"), Column("reason"))


def origin_panel(plan: PlanView | None, words: Words) -> str:
    """Source and age of the plan, the limits that gave way, and fallbacks of its forecast."""
    if plan is None:
        return empty_panel(words("plan_origin"), words)
    lines = [_source(plan, words)]
    lines += [_line("gave", words("gave_way"), words.text(text)) for text in plan.gave_way]
    lines += [_line("note", words("plan_note"), words.text(text)) for text in plan.notes]
    return f'<section class="ig-panel ig-origin">{"".join(lines)}</section>'


def _source(plan: PlanView, words: Words) -> str:
    facts = [words.text(plan.why)]
    if plan.source == "optimal" and not plan.gave_way:
        facts.append(words("nothing_gave_way"))
    css = "usual" if plan.source == "optimal" else "fallback"
    versions = words.html("plan_versions", plan=plan.version, config=plan.config_version)
    title = words(f"source_{plan.source}")
    if plan.issued_at is not None:
        title = words("source_at", source=title, time=words.moment(plan.issued_at, plan.time))
    return _line(css, title, " ".join(fact for fact in facts if fact), f"<small>{versions}</small>")


def _line(css: str, name: str, said: str, after: str = "") -> str:
    return f'<p class="{css}"><b>{escape(name)}</b> <span>{escape(said)}</span>{after}</p>'


def reasons_table(plan: PlanView | None, words: Words) -> str:
    """What binds in each stretch of the plan, and what more would cost; nothing where no step says."""
    if plan is None or not any(step.reasons for step in plan.steps):
        return ""
    spans = list(_stretches(plan.steps))
    rows = [Row([_span(steps, plan, words), _told(steps, words)]) for steps in spans[:SHOWN]]
    count = str(len(spans)) if len(spans) <= SHOWN else words("first_of", shown=SHOWN, total=len(spans))
    return table(words("plan_reasons"), count, _COLUMNS, rows, words)


def _stretches(steps: Sequence[PlanStep]) -> Iterator[list[PlanStep]]:
    for codes, stretch in groupby(steps, key=lambda step: [reason.code for reason in step.reasons]):
        if codes:
            yield list(stretch)


def _span(steps: Sequence[PlanStep], plan: PlanView, words: Words) -> str:
    return f"{words.moment(steps[0].time, plan.time)} → {words.moment(steps[-1].time + STEP, plan.time)}"


def _told(steps: Sequence[PlanStep], words: Words) -> str:
    """The reasons of the first step; those of the last beside them where their figures differ."""
    first, last = (_sentences(step.reasons, words) for step in (steps[0], steps[-1]))
    return first if first == last else f"{first} … {last}"


def _sentences(reasons: Sequence[Text], words: Words) -> str:
    return " ".join(words.text(reason) for reason in reasons)
