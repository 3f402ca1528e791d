"""The audit: look at it, prove it whole, hand it out."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from igoudar.control.cli import show as screen
from igoudar.control.cli.local import records_of
from igoudar.control.cli.options import (
    DEFAULT_SITE,
    JsonOption,
    LangOption,
    SiteOption,
    StateOption,
    api,
    language,
)
from igoudar.core.errors import CommandError, ConfigError
from igoudar.core.i18n import render

if TYPE_CHECKING:
    from igoudar.control.records.audit import Verdict
    from igoudar.control.records.state import Records

app = typer.Typer(no_args_is_help=True, help="What was done: by whom, before, after, why, result.")
SinceOption = Annotated[datetime | None, typer.Option("--since", help="From this time on (UTC).")]
UntilOption = Annotated[datetime | None, typer.Option("--until", help="Before this time (UTC).")]
OutOption = Annotated[Path | None, typer.Option("--out", help="File to write; without it, the terminal.")]


@app.command()
def show(
    limit: Annotated[int, typer.Option("--limit", help="How many lines, newest first.", min=1)] = 20,
    target: Annotated[str | None, typer.Option("--target", help="Of one job or device.")] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    site: SiteOption = DEFAULT_SITE,
    state: StateOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """The newest lines, from the API."""
    with api(site, state) as client:
        found, zone = client.actions(limit, target, _utc(since), _utc(until)), client.status().zone
    if as_json:
        return screen.document(found)
    speech = language(lang)
    for one in found:
        params = {"number": one.number, "at": screen.local(one.at, zone), "reason": one.reason.english}
        params |= {"reason": render(one.reason.code, one.reason.params, speech)}
        names = ("who", "verb", "target", "before", "after", "result")
        params |= {name: screen.recorded(getattr(one, name), zone) for name in names}
        typer.echo(screen.printable(render("audit.show_line", params, speech)))
    return None


@app.command()
def verify(
    site: SiteOption = DEFAULT_SITE,
    state: StateOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Every line against the chain, the chain against its anchors; exit code 1 when it is not whole."""
    from igoudar.control.records.audit import verify as look

    with records_of(site, state) as records:
        verdict = look(records)
    if as_json:
        typer.echo(json.dumps(_verdict(verdict), indent=1))
    else:
        _say(verdict, language(lang))
    if not verdict.whole:
        raise typer.Exit(1)


@app.command()
def export(
    since: SinceOption = None,
    until: UntilOption = None,
    incident: Annotated[
        tuple[datetime, datetime] | None,
        typer.Option("--incident", metavar="FROM TO", help="All that is known of a period (UTC), as JSON."),
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="A table instead of JSON lines.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines, oldest first (the default).")] = False,
    out: OutOption = None,
    site: SiteOption = DEFAULT_SITE,
    state: StateOption = None,
    lang: LangOption = None,
) -> None:
    """Lines with their hashes, from this host's records; works with control dead."""
    if as_csv and (as_json or incident):
        raise ConfigError("--csv does not go with --json or --incident", fix="leave one out")
    with records_of(site, state) as records:
        if incident:
            text, count = _incident(records, incident, site)
        else:
            text, count = _lines(records, since, until, as_csv)
    if out is None:
        typer.echo(text, nl=False)
        return
    _write(out, text)
    screen_params = {"count": count, "path": str(out)}
    typer.echo(screen.printable(render("audit.exported", screen_params, language(lang))))


def _lines(
    records: "Records", since: datetime | None, until: datetime | None, as_csv: bool
) -> tuple[str, int]:
    from igoudar.control.records import export as out

    rows = list(reversed(records.actions(None, since=_utc(since), until=_utc(until))))
    return (out.as_csv(rows) if as_csv else out.as_json(rows)), len(rows)


def _incident(records: "Records", period: tuple[datetime, datetime], site: str) -> tuple[str, int]:
    from igoudar.control.records import export as out

    since, until = (at.replace(tzinfo=at.tzinfo or UTC) for at in period)
    if since >= until:
        raise ConfigError("the period ends before it begins", where="--incident", fix="give FROM before TO")
    found = out.incident(records, since, until, site)
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n", len(found["actions"])


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"can't be written ({error.strerror})", where=str(path)) from error


def _utc(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=at.tzinfo or UTC) if at else None


def _verdict(verdict: "Verdict") -> dict[str, object]:
    problems = [{"code": p.code, "params": dict(p.params)} for p in verdict.problems]
    found = {"whole": verdict.whole, "rows": verdict.end.number, "hash": verdict.end.hash}
    return {**found, "whole_to": verdict.whole_to, "anchored": verdict.anchored, "problems": problems}


def _say(verdict: "Verdict", lang: str) -> None:
    counts = {"rows": verdict.end.number, "anchored": verdict.anchored, "count": len(verdict.problems)}
    typer.echo(render("audit.whole" if verdict.whole else "audit.not_whole", counts, lang))
    for problem in verdict.problems:
        typer.echo(screen.printable(render(problem.code, problem.params, lang)))
    if not verdict.whole:
        typer.echo(render("audit.whole_to", {"number": verdict.whole_to}, lang))
