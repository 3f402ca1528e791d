"""The plan: what is in force, why, what it does in the next hours, and who waits for what."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from igoudar.control.cli import show
from igoudar.control.cli.options import (
    DEFAULT_SITE,
    JsonOption,
    LangOption,
    SiteOption,
    StateOption,
    api,
    language,
)
from igoudar.core.i18n import render

if TYPE_CHECKING:  # the documents bring pydantic along
    from igoudar.control.schema import PlannedJob, PlanStep, PlanView

NEAR_STEPS = 16  # of 15 min are shown one by one, hours after
POWERS = ("supply_p50_w", "urgent_w", "flexible_w", "battery_w", "import_w", "curtailed_w")


def plan(
    site: SiteOption = DEFAULT_SITE,
    state: StateOption = None,
    json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """The plan in force: its source and why, its next hours with reasons, and the waiting jobs."""
    with api(site, state) as client:
        found = client.plan()
        zone = client.status().zone
    if json:
        return show.document(found)
    return _plan(found, zone, language(lang))


def _plan(found: "PlanView", zone: str, lang: str) -> None:
    source = render(f"cli.plan_{found.source}", {}, lang)
    show.say("plan_line", lang, source=source, why=show.spoken(found.why, lang), version=found.version)
    for text in (*found.gave_way, *found.notes):
        show.say("plan_note", lang, text=show.spoken(text, lang))
    if found.steps:
        heads = ("time", *(f"plan_{name}" for name in POWERS), "reason")
        show.table(heads, [_step(step, zone, lang) for step in _shown(found.steps)], lang)
    if found.jobs:
        heads = ("job", "name", "gpus", "start", "latest", "slack", "reason")
        show.table(heads, [_job(job, zone, lang) for job in found.jobs], lang)


def _shown(steps: "list[PlanStep]") -> "Iterable[PlanStep]":
    return (step for index, step in enumerate(steps) if index < NEAR_STEPS or index % 8 == 0)


def _step(step: "PlanStep", zone: str, lang: str) -> tuple[str, ...]:
    powers = (show.quantity(name, getattr(step, name), lang) for name in POWERS)
    reasons = " ".join(show.message(reason, lang) for reason in step.reasons)
    return show.local(step.time, zone)[5:16], *powers, reasons


def _job(job: "PlannedJob", zone: str, lang: str) -> tuple[str, ...]:
    return (
        show.safe(job.job_id),
        show.safe(job.name),
        str(job.gpus),
        show.local(job.start, zone)[5:16],
        show.local(job.latest_start, zone)[5:16],
        show.duration(job.slack_s),
        show.message(job.reason, lang),
    )
