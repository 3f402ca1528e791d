"""`igoudar site`: look at a site file before it runs."""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from igoudar.core.errors import ConfigError
from igoudar.core.i18n import choose_language, render
from igoudar.core.model import Profile, Site

USAGE = 2

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Lang = Annotated[str | None, typer.Option("--lang", help="en or fr; default IGOUDAR_LANG, then the locale.")]


def add_commands(app: typer.Typer) -> None:
    """Add `site check`, `site show`, and what is asked of a running one."""
    from igoudar.app import site_versions
    from igoudar.control.cli.site_events import add_site_commands

    site = typer.Typer(no_args_is_help=True, help="Look at a site before it runs.")
    site.command("check", help="Check a site file and say everything that is wrong with it.")(check)
    site.command("show", help="Show what stands on a site: a seed's name or a file.")(show)
    add_site_commands(site)
    site_versions.add_commands(site)
    app.add_typer(site, name="site")


def check(
    file: Annotated[str, typer.Argument(help="Site file, or the name of a seed.")],
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Check a site file; exit code 2 and every problem when it can't be used."""
    from igoudar.core.site import load_site
    from igoudar.core.strict_toml import ConfigFileError

    try:
        site = load_site(file, _profiles())
    except ConfigError as error:
        problems = error.problems if isinstance(error, ConfigFileError) else (error,)
        _say_problems(problems, as_json)
        raise typer.Exit(USAGE) from error
    facts = summary(site, _profiles())
    if as_json:
        typer.echo(json.dumps({"file": file, "ok": True, "problems": []}))
    else:
        counts = {key: facts[key] for key in ("devices", "points", "racks")}
        typer.echo(render("site.check_ok", {"file": file, **counts}, choose_language(lang)))


def show(
    name: Annotated[str, typer.Argument(help="Name of a seed, or a site file.")],
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Show a site's size; exit code 2 when it can't be loaded."""
    from igoudar.core.site import load_site

    profiles = _profiles()
    facts = summary(load_site(name, profiles), profiles)
    if as_json:
        typer.echo(json.dumps(facts, ensure_ascii=False))
    else:
        typer.echo("\n".join(_lines(facts, choose_language(lang))))


def summary(site: Site, profiles: Mapping[str, Profile]) -> dict[str, Any]:
    """A site in figures; powers in MW and energies in MWh, as people size a site."""
    kinds = Counter(str(device.kind) for device in site.devices)
    return {
        "name": site.name,
        "title": site.title,
        "devices": len(site.devices),
        "points": sum(len(profiles[device.profile].points) for device in site.devices),
        "it_mw": _mega(site.it_w),
        "racks": len(site.racks),
        "gpus": site.gpus,
        "halls": len(site.halls),
        "pv_mw": _mega(site.solar.ac_w),
        "wind_mw": _mega(site.wind.ac_w),
        "battery_mwh": _mega(site.battery.energy_wh),
        "battery_mw": _mega(site.battery.power_w),
        "desalination_mw": _mega(site.desalination.power_w),
        "electrolyser_mw": _mega(site.electrolyser.power_w),
        "grid_limit_mw": _mega(site.grid.import_limit_w),
        "by_kind": dict(sorted(kinds.items())),
        "sources": list(site.sources),
        "members": list(site.members),
    }


def _profiles() -> Mapping[str, Profile]:
    from igoudar.collectors.profiles import load_profiles  # here, so that `igoudar --help` stays quick

    return load_profiles()


def _say_problems(problems: tuple[ConfigError, ...], as_json: bool) -> None:
    if as_json:
        found = [{"what": p.what, "where": p.where, "fix": p.fix} for p in problems]
        typer.echo(json.dumps({"ok": False, "problems": found}, ensure_ascii=False))
        return
    for problem in problems:
        typer.echo(str(problem), err=True)


def _lines(facts: Mapping[str, Any], lang: str) -> list[str]:
    powers = (
        "it_mw",
        "pv_mw",
        "wind_mw",
        "battery_mw",
        "desalination_mw",
        "electrolyser_mw",
        "grid_limit_mw",
    )
    shown = {key.replace("_mw", "_w"): facts[key] * 1e6 for key in powers}
    shown["battery_wh"] = facts["battery_mwh"] * 1e6
    counts = {f"{key}_count": facts[key] for key in ("devices", "points", "racks", "gpus", "halls")}
    texts = {key: ", ".join(facts["members"]) for key in ("members",)}
    kinds = ", ".join(f"{kind} {count}" for kind, count in facts["by_kind"].items())
    values = {"name": facts["name"], "title": facts["title"], "kinds": kinds, **shown, **counts, **texts}
    keys = [
        "show_head",
        "show_it",
        "show_sources",
        "show_battery",
        "show_loads",
        "show_devices",
        "show_kinds",
    ]
    keys += ["show_members"] if facts["members"] else []
    lines = [render(f"site.{key}", values, lang) for key in keys]
    return [*lines, render("site.show_origin", {}, lang), *(f"  {source}" for source in facts["sources"])]


def _mega(value: float) -> float:
    return round(value / 1e6, 6)
