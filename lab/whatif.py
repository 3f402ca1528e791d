"""The same policies under two settings, and what the second changes."""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from igoudar.core.errors import ConfigError
from igoudar.core.i18n import render
from igoudar.lab.options import assembled
from igoudar.lab.scenario import Scenario
from igoudar.lab.words import FIGURES, cells, difference, draw_right, heads, value_of

Play = Callable[[Scenario, Path], Mapping[str, Any]]
FIRST, SECOND = "first", "second"


def settings_pair(
    first: Path, second: Path, changes: Sequence[str], policy: str | None = None
) -> tuple[Scenario, Scenario]:
    """Both scenarios, with the policies named for both, the second with the changes.

    Raises:
        ConfigError: a file, a key or a value that can't be used; settings that are equal.
    """
    both = {"policy": policy}
    pair = assembled(first, both), assembled(second, {**both, **_values(changes)})
    if pair[0] == pair[1]:
        raise ConfigError("both settings are the same", where="whatif", fix="change something with --set")
    if not set(pair[0].policies) & set(pair[1].policies):
        raise ConfigError("the settings share no policy", where="whatif", fix="name one in both files")
    return pair


def _values(changes: Sequence[str]) -> dict[str, Any]:
    """KEY=VALUE, the value as in a scenario file; a word needs no quotes."""
    found: dict[str, Any] = {}
    for change in changes:
        key, equals, text = change.partition("=")
        if not equals or not key.strip():
            raise ConfigError(f"{change!r} changes nothing", where="--set", fix="write KEY=VALUE")
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            value = text
        found[key.strip().replace("-", "_")] = value
    return found


def compare(pair: tuple[Scenario, Scenario], out: Path, play: Play) -> dict[str, Any]:
    """Play both into folders of their own; figures of each and second minus first."""
    runs = {
        name: play(setting, out / name)["policies"]
        for name, setting in zip((FIRST, SECOND), pair, strict=True)
    }
    shared = [name for name in runs[FIRST] if name in runs[SECOND]]
    first, second = (setting.model_dump(mode="json") for setting in pair)
    changed = {key: [first[key], second[key]] for key in first if first[key] != second[key]}
    differences = {name: _differences(runs[FIRST][name], runs[SECOND][name]) for name in shared}
    return {"changed": changed, **runs, "difference": differences}


def _differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for _, key, _, _ in FIGURES:
        a, b = value_of(first, key), value_of(second, key)
        found[key] = None if a is None or b is None else b - a
    return found


def show_differences(found: Mapping[str, Any], lang: str) -> None:
    """One small table a policy: first, second, difference."""
    columns = ["", *heads(lang)[1:]]
    for name in found["difference"]:
        rows = [
            [render(f"lab.{run}", {}, lang), *cells(name, found[run][name], lang)[1:]]
            for run in (FIRST, SECOND)
        ]
        last = difference(render("lab.difference", {}, lang), found[FIRST][name], found[SECOND][name], lang)
        draw_right(columns, [*rows, last], render("lab.whatif_title", {"policy": name}, lang))
