"""What a person is asked to confirm: the consequence in words, and exactly what it would act on."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from igoudar.control.schema import Alarms, PlanView
from igoudar.dashboard.charts.waiting import WaitingJob
from igoudar.dashboard.words import NONE, Words


@dataclass(frozen=True, slots=True)
class Offer:
    """The targets that can still be acted on, the plan it was read from, and the text shown."""

    targets: tuple[str, ...]
    version: str  # of the plan, where the action depends on it
    markup: str


def job_offer(
    verb: str, asked: Sequence[str], waiting: Sequence[WaitingJob], plan: PlanView | None, words: Words
) -> Offer:
    """Jobs to approve, hold or release; those that no longer can be are named and left out."""
    by_id = {job.job_id: job for job in waiting if verb in job.verbs}
    jobs = [by_id[job_id] for job_id in asked if job_id in by_id]
    gone = [job_id for job_id in asked if job_id not in by_id]
    version = plan.version if plan is not None and verb == "approve" else ""
    if not jobs:
        return Offer((), version, _paragraph(words("gone")))
    lines = "".join(_line(job, verb, plan, words) for job in jobs)
    parts = [f"<p><b>{words.html(f'verb_{verb}')}</b> · {escape(_sum(jobs, words))}</p><ul>{lines}</ul>"]
    parts += [_paragraph(words("gone_one", job=job_id)) for job_id in gone]
    parts.append(_paragraph(words(f"{verb}_effect")))
    return Offer(tuple(job.job_id for job in jobs), version, "".join(parts))


def alarm_offer(alarm_id: str, alarms: Alarms | None, words: Words) -> Offer:
    """The alarm to acknowledge."""
    alarm = next((a for a in alarms.alarms if a.id == alarm_id), None) if alarms else None
    if alarm is None:
        return Offer((), "", _paragraph(words("gone")))
    what = f"<b>{escape(alarm.source)}</b> {escape(words.text(alarm.text))}"
    return Offer((alarm.id,), "", f"<p>{what}</p>{_paragraph(words('ack_effect'))}")


def _sum(jobs: Sequence[WaitingJob], words: Words) -> str:
    known = [job.energy_wh for job in jobs if job.energy_wh is not None]
    energy_wh = sum(known) if len(known) == len(jobs) else None
    return words("offer_sum", count=len(jobs), energy=words.quantity(energy_wh, "wh"))


def _line(job: WaitingJob, verb: str, plan: PlanView | None, words: Words) -> str:
    said = words.text(job.planned.consequence) if verb == "approve" and job.planned else ""
    effect = f"<small>{escape(said)}</small>" if said else ""
    name = f"<code>{escape(job.job_id)}</code> <b>{escape(job.name)}</b>"
    when, facts = escape(_plan_facts(job, plan, words)), escape(_facts(job, words))
    return f"<li>{name} {when}<small>{facts}</small>{effect}</li>"


def _plan_facts(job: WaitingJob, plan: PlanView | None, words: Words) -> str:
    if job.planned is None or plan is None:
        return ""
    if job.planned.start is None:
        return f"→ {words('beyond_horizon')}"
    start, latest = (words.moment(at, plan.time) for at in (job.planned.start, job.planned.latest_start))
    return f"→ {start}" if latest == NONE else words("offer_start", start=start, latest=latest)


def _facts(job: WaitingJob, words: Words) -> str:
    due = words("no_deadline") if job.deadline is None else words.clock(job.deadline, "%d/%m %H:%M")
    energy, slack = words.quantity(job.energy_wh, "wh"), words.duration(job.slack_s)
    return words("job_facts", gpus=job.gpus, energy=energy, slack=slack, deadline=due)


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"
