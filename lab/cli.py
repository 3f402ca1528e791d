"""`igoudar lab backtest | forecast | size | whatif`: studies on the same plant and policies as live."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from igoudar.core.errors import ConfigError
from igoudar.core.i18n import choose_language, render

if TYPE_CHECKING:
    from igoudar.lab.scenario import Scenario

Out = Annotated[Path, typer.Option("--out", help="Folder for tables, summary and report.")]
File = Annotated[Path | None, typer.Option("--scenario", help="Scenario file; options override it.")]
Workers = Annotated[int, typer.Option("--workers", help="Processes.", min=1)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Lang = Annotated[str | None, typer.Option("--lang", help="en or fr.")]


def add_commands(app: typer.Typer) -> None:
    """Register `igoudar lab ...`."""
    from igoudar.lab.options import with_scenario

    group = typer.Typer(no_args_is_help=True, help="Backtests and studies, without a running site.")
    group.command(help="Play policies on measured supply and job traces.")(with_scenario(backtest))
    group.command(help="Skill, pinball loss and reliability of the forecasts, 1 to 48 h.")(
        with_scenario(forecast)
    )
    group.command(help="How much PV, wind and battery an hourly match takes.")(with_scenario(size))
    group.command(help="Compare two settings: two scenario files, or one and --set KEY=VALUE.")(whatif)
    app.add_typer(group, name="lab")


def backtest(
    out: Out,
    scenario: File = None,
    workers: Workers = 2,
    as_json: Json = False,
    lang: Lang = None,
    **given: Any,
) -> None:
    """All policies, one table; goes on where an interrupted run stopped."""
    from igoudar.lab.options import assembled
    from igoudar.lab.report import write_report

    language, setting = choose_language(lang), assembled(scenario, given)
    summary = _played(setting, out, workers)
    write_report(out, language)
    if as_json:
        typer.echo(json.dumps({"out": str(out), **summary}))
    else:
        _show(summary["policies"], setting, out, language)


def _played(scenario: "Scenario", out: Path, workers: int) -> dict[str, Any]:
    from igoudar.lab.backtest import backtest
    from igoudar.lab.progress import progress_bar

    with progress_bar("backtest") as told:
        return backtest(scenario, out, workers=workers, progress=told)


def _show(policies: Mapping[str, Any], scenario: "Scenario", out: Path, lang: str) -> None:
    from igoudar.lab.words import draw_line, show, slack_lines

    show(policies, render("lab.of_a_year", {"days": scenario.days, "site": scenario.site}, lang), lang)
    for line in [*slack_lines(policies, lang), *_rejected_lines(out, scenario, lang)]:
        draw_line(line)
    draw_line(render("lab.written", {"out": str(out)}, lang))


def _rejected_lines(out: Path, scenario: "Scenario", lang: str) -> list[str]:
    rows: Sequence[Mapping[str, Any]] = json.loads((out / "rejected.json").read_text())
    first: dict[str, int] = {}
    for row in rows:
        first.setdefault(row["reason"], row["line"])
    counts = {reason: sum(row["reason"] == reason for row in rows) for reason in first}
    parts = [
        render(
            "lab.rejected_one",
            {"count": counts[reason], "words": render(f"lab.reason_{reason}", {}, lang), "line": line},
            lang,
        )
        for reason, line in first.items()
    ]
    told = {"count": len(rows), "file": Path(scenario.jobs).name, "reasons": "; ".join(parts)}
    return [render("lab.rejected", told, lang)] if rows else []


def forecast(
    scenario: File = None,
    bulletins: Annotated[
        Path | None, typer.Option("--bulletins", help="Weather forecasts: issued, time, quantities.")
    ] = None,
    as_json: Json = False,
    lang: Lang = None,
    **given: Any,
) -> None:
    """Every period forecast by what the others teach, against persistence, climatology and their mix."""
    from igoudar.lab.forecast_study import study
    from igoudar.lab.forecast_words import show_scores
    from igoudar.lab.options import assembled

    scores = study(assembled(scenario, given), bulletins)
    if as_json:
        typer.echo(json.dumps(scores.to_dicts()))
    else:
        show_scores(scores, choose_language(lang))


def size(
    out: Out,
    scenario: File = None,
    match: Annotated[
        str, typer.Option("--match", help="Hourly matches asked for [%], with commas.")
    ] = "95,99,100",
    workers: Workers = 2,
    as_json: Json = False,
    lang: Lang = None,
    **given: Any,
) -> None:
    """The cheapest sizes per target; the first policy named schedules the jobs."""
    from igoudar.lab.options import assembled
    from igoudar.lab.progress import progress_bar
    from igoudar.lab.size import sizes
    from igoudar.lab.size_words import show_sizes

    targets = [_target(text) for text in match.split(",")]
    setting = assembled(scenario, given)
    with progress_bar("size") as told:
        found = sizes(setting, targets, out, workers=workers, progress=told)
    if as_json:
        typer.echo(json.dumps(found))
    else:
        show_sizes(found, choose_language(lang))


def _target(text: str) -> float:
    try:
        share = float(text) / 100.0
    except ValueError:
        share = -1.0
    if not 0.0 < share <= 1.0:
        raise ConfigError(
            f"{text!r} is no hourly match", where="--match", fix="give per cent, above 0 to 100"
        )
    return share


def whatif(
    first: Annotated[Path, typer.Argument(help="Scenario file.")],
    out: Out,
    second: Annotated[Path | None, typer.Argument(help="Scenario file to compare with.")] = None,
    change: Annotated[
        list[str] | None, typer.Option("--set", help="KEY=VALUE of the second; repeatable.")
    ] = None,
    policy: Annotated[
        str | None, typer.Option("--policy", help="Policies of both, with commas between.")
    ] = None,
    workers: Workers = 2,
    as_json: Json = False,
    lang: Lang = None,
) -> None:
    """The same policies under both settings, and what changes."""
    from igoudar.lab.whatif import compare, settings_pair, show_differences

    if second is None and not change:
        raise ConfigError(
            "nothing to compare with", where="whatif", fix="give a second file or --set KEY=VALUE"
        )
    pair = settings_pair(first, second or first, change or [], policy)
    found = compare(pair, out, lambda setting, folder: _played(setting, folder, workers))
    if as_json:
        typer.echo(json.dumps(found))
    else:
        show_differences(found, choose_language(lang))
