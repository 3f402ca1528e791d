"""Jobs: list, steer, and why one waits."""

from typing import TYPE_CHECKING, Annotated

import typer

from igoudar.control.cli import show, told
from igoudar.control.cli.agreement import agreed
from igoudar.control.cli.options import (
    DEFAULT_SITE,
    DryOption,
    JsonOption,
    LangOption,
    ReasonOption,
    SiteOption,
    StateOption,
    YesOption,
    api,
    language,
)
from igoudar.control.cli.times import until as parse_until
from igoudar.control.errors import UnknownNameError
from igoudar.core.said import said

if TYPE_CHECKING:  # the documents bring pydantic along
    from igoudar.control.client import ApiClient
    from igoudar.control.schema import JobView, PlannedJob

app = typer.Typer(no_args_is_help=True, help="Jobs: list, steer, and why one waits.")
JobArgument = Annotated[str, typer.Argument(help="The job's id.")]
UntilOption = Annotated[str, typer.Option("--until", help="+90m, +2h, 19:40 or an ISO time, site's zone.")]


@app.command("list")
def list_jobs(
    everything: Annotated[bool, typer.Option("--all", help="Finished jobs too.")] = False,
    site: SiteOption = DEFAULT_SITE,
    state: StateOption = None,
    json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Waiting jobs by slack, then running ones, each with its reason."""
    with api(site, state) as client:
        found, zone = client.jobs(), client.status().zone
    shown = [job for job in found.jobs if everything or job.state != "finished"]
    if json:
        return show.document(found.model_copy(update={"jobs": shown}))
    speech = language(lang)
    heads = ("job", "name", "user", "gpus", "state", "deadline", "slack", "power", "reason")
    show.table(heads, [_row(job, zone, speech) for job in shown], speech)
    return show.say("jobs_line", speech, w=found.waiting, r=found.running)


@app.command("why")
def why(
    job_id: JobArgument,
    site: SiteOption = DEFAULT_SITE,
    state: StateOption = None,
    json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Why a job waits or runs, and everything that was done to it."""
    speech = language(lang)
    with api(site, state) as client:
        job, zone = _find(client, job_id), client.status().zone
        actions, found = client.actions(target=job_id), client.plan()
    planned = next((one for one in found.jobs if one.job_id == job_id), None)
    if json:
        return show.document([job, *([planned] if planned else []), *actions])
    show.table(("job", "state", "reason"), [_short(job, planned, speech)], speech)
    if planned and planned.consequence:
        show.say("plan_note", speech, text=show.spoken(planned.consequence, speech))
    rows = [
        (
            show.local(a.at, zone),
            show.safe(a.who),
            a.verb,
            show.message(a.reason, speech),
            show.safe(a.result),
        )
        for a in actions
    ]
    return show.table(("time", "who", "verb", "reason", "result"), rows, speech)


@app.command("hold")
def hold(
    job_id: JobArgument,
    reason: ReasonOption = "",
    until: UntilOption = "",
    site: SiteOption = DEFAULT_SITE,
    state: StateOption = None,
    dry_run: DryOption = False,
    yes: YesOption = False,
    json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Keep a waiting job from starting, for a week unless --until says less."""
    _steer("hold", job_id, reason, until, site, state, dry_run, yes, json, lang)


@app.command("release")
def release(
    job_id: JobArgument,
    reason: ReasonOption = "",
    site: SiteOption = DEFAULT_SITE,
    state: StateOption = None,
    dry_run: DryOption = False,
    yes: YesOption = False,
    json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Let a waiting job start as soon as its GPUs are free."""
    _steer("release", job_id, reason, "", site, state, dry_run, yes, json, lang)


@app.command("delay")
def delay(
    job_id: JobArgument,
    until: UntilOption,
    reason: ReasonOption = "",
    site: SiteOption = DEFAULT_SITE,
    state: StateOption = None,
    dry_run: DryOption = False,
    yes: YesOption = False,
    json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Let a waiting job start at a time."""
    _steer("delay", job_id, reason, until, site, state, dry_run, yes, json, lang)


@app.command("suspend")
def suspend(
    job_id: JobArgument,
    reason: ReasonOption = "",
    site: SiteOption = DEFAULT_SITE,
    state: StateOption = None,
    dry_run: DryOption = False,
    yes: YesOption = False,
    json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Stop a running job where it stands."""
    _steer("suspend", job_id, reason, "", site, state, dry_run, yes, json, lang)


@app.command("resume")
def resume(
    job_id: JobArgument,
    reason: ReasonOption = "",
    site: SiteOption = DEFAULT_SITE,
    state: StateOption = None,
    dry_run: DryOption = False,
    yes: YesOption = False,
    json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Go on with a suspended job."""
    _steer("resume", job_id, reason, "", site, state, dry_run, yes, json, lang)


def _steer(
    verb: str,
    job_id: str,
    reason: str,
    until: str,
    site: str,
    state: StateOption,
    dry_run: bool,
    yes: bool,
    json: bool,
    lang: str | None,
) -> None:
    from igoudar.control.client_hands import HandsApi

    speech = language(lang)
    with api(site, state) as client:
        now = client.status()
        at = parse_until(until, now.time, now.zone) if until else None
        job = _find(client, job_id)
        plan = {"verb": verb, "job": job_id, "name": job.name, "state": job.state}
        if dry_run or not yes:
            preview = HandsApi(client).preview_job(job_id, verb, reason or "command line", at)
            plan |= {
                "change": told.change(preview, now.zone, speech),
                "refusal": told.refusal(preview, speech),
            }
        if not agreed("job", speech, dry_run=dry_run, yes=yes, **plan):
            return None
        action = client.job_action(job_id, verb, reason or "command line", at)
    if json:
        return show.document(action)
    return show.say("done", speech, **plan, before=action.before or "-", after=action.after or "-")


def _find(client: "ApiClient", job_id: str) -> "JobView":
    found = next((job for job in client.jobs().jobs if job.job_id == job_id), None)
    if found is None:
        raise said(UnknownNameError, "refusal.no_job", where=job_id)
    return found


def _row(job: "JobView", zone: str, lang: str) -> tuple[str, ...]:
    return (
        show.safe(job.job_id),
        show.safe(job.name),
        show.safe(job.user),
        str(job.gpus),
        job.state,
        show.local(job.deadline, zone),
        show.duration(job.slack_s),
        show.quantity("power_w", job.power_w, lang),
        show.message(job.reason, lang),
    )


def _short(job: "JobView", planned: "PlannedJob | None", lang: str) -> tuple[str, ...]:
    reason = planned.reason if planned else job.reason
    return show.safe(job.job_id), job.state, show.message(reason, lang) or "-"
