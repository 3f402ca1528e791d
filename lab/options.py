"""The options that describe a scenario, the same for every study, and how they join a scenario file."""

from collections.abc import Callable, Mapping
from inspect import Parameter, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from igoudar.core.errors import ConfigError

if TYPE_CHECKING:
    from igoudar.lab.scenario import Scenario

POLICY = "policy"
FILES = ("resource", "jobs", "weather")
OPTIONS: tuple[tuple[str, type, str], ...] = (
    ("site", str, "A bundled site's name or a site file."),
    ("resource", str, "Capacity factors: a CSV, its folder, or a Parquet export of the store."),
    ("jobs", str, "A job trace (CSV)."),
    (POLICY, str, "Policies, with commas between."),
    ("days", int, "Days to simulate."),
    ("battery_mwh", float, "Battery energy [MWh]."),
    ("battery_mw", float, "Battery power [MW]."),
    ("pv_mw", float, "PV power [MW]."),
    ("wind_mw", float, "Wind power [MW]."),
    ("import_limit_mw", float, "Most that may be imported [MW]."),
    ("export_limit_mw", float, "Most that may be exported [MW]."),
    ("price", float, "Price per MWh imported."),
    ("export_price", float, "Price per MWh exported."),
    ("peak_price_per_mw_week", float, "Price per MW of each period's highest quarter-hour of import."),
    ("job_scale", int, "Multiplies the GPUs of every job."),
    ("durations", str, "What the scheduler knows of durations: declared or learned."),
    ("weather", str, "Hourly temperatures (CSV or EPW); the PUE follows them."),
    ("seed", int, "Seed of what is random."),
)


def with_scenario(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command with `**given` every option of a scenario; None where it was not given."""
    own = [p for p in signature(command).parameters.values() if p.kind is not Parameter.VAR_KEYWORD]
    added = [
        Parameter(key, Parameter.KEYWORD_ONLY, default=None, annotation=_note(kind, words))
        for key, kind, words in OPTIONS
    ]
    every = [one.replace(kind=Parameter.KEYWORD_ONLY) for one in own] + added

    def told(**words: Any) -> None:
        command(**words)

    vars(told)["__signature__"] = signature(command).replace(parameters=every)
    told.__name__, told.__doc__ = command.__name__, command.__doc__
    told.__annotations__ = {one.name: one.annotation for one in every}
    return told


def _note(kind: Any, words: str) -> Any:
    return Annotated[kind | None, typer.Option(help=words)]


def assembled(file: Path | None, given: Mapping[str, Any]) -> "Scenario":
    """A scenario from its file and the options beside it, with the site's figures where neither says.

    Raises:
        ConfigError: naming the file or option; no resource or jobs; no such site.
    """
    from igoudar.lab.inputs import named_site
    from igoudar.lab.scenario import Scenario, changed, read_scenario, settled

    base = read_scenario(file) if file else Scenario()
    options = {key: value for key, value in given.items() if key != POLICY and value is not None}
    if given.get(POLICY):
        options["policies"] = tuple(name.strip() for name in given[POLICY].split(",") if name.strip())
    merged = changed(base, options)
    beside = file.parent if file else Path()
    for name in FILES[:2]:
        if not getattr(merged, name):
            fix = f"give --{name} PATH, or name it in a --scenario file"
            raise ConfigError(f"no {name} given", where="options", fix=fix)
    paths = {name: _found(getattr(merged, name), beside) for name in FILES if getattr(merged, name)}
    site = _site(merged.site, beside)
    return settled(changed(merged, {**paths, "site": site}), named_site(site))


def _found(text: str, beside: Path) -> str:
    """A path from the current folder, else from the scenario file's."""
    for folder in (Path(), beside):
        if (folder / text).exists():
            return str((folder / text).resolve())
    return text


def _site(text: str, beside: Path) -> str:
    return _found(text, beside) if text.endswith(".toml") else text
