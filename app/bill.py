"""The bill of materials: what this installation is made of, as CycloneDX, read from its own metadata."""

import json
import re
from collections.abc import Mapping, Set
from datetime import UTC, datetime
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Annotated, Any

import typer
from packaging.requirements import Requirement

from igoudar.core.errors import CommandError
from igoudar.core.i18n import choose_language, render
from igoudar.core.terminal import printable

SPEC = "1.6"
ROOT = "igoudar"


def add_commands(app: typer.Typer) -> None:
    """Add `bill`."""
    app.command("bill", help="Write the bill of materials of this installation (CycloneDX, offline).")(bill)


def bill(
    out: Annotated[
        Path | None, typer.Option("--out", help="File to write; without it, the terminal.")
    ] = None,
    lang: Annotated[str | None, typer.Option("--lang", help="en or fr.")] = None,
) -> None:
    """Every installed package that igoudar needs, directly or through another."""
    document = materials()
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"can't be written ({error.strerror})", where=str(out)) from error
    shown = {"count": len(document["components"]), "path": str(out)}
    typer.echo(printable(render("audit.bill", shown, choose_language(lang))))


def materials() -> dict[str, Any]:
    """The document, components and dependencies in order of name."""
    found = _closure()
    root = found.pop(ROOT)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": SPEC,
        "version": 1,
        "metadata": {
            "timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
            "component": _component(root, "application"),
        },
        "components": [_component(found[name], "library") for name in sorted(found)],
        "dependencies": [
            {"ref": _purl(one), "dependsOn": _needed(one, found)}
            for one in (root, *(found[name] for name in sorted(found)))
        ],
    }


def _closure() -> dict[str, Distribution]:
    """Igoudar and all it needs here, by normal name."""
    found: dict[str, Distribution] = {}
    asked: dict[str, set[str]] = {}
    waiting: list[tuple[str, set[str]]] = [(ROOT, set())]
    while waiting:
        name, extras = waiting.pop()
        if name in found and extras <= asked[name]:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            continue  # of another platform
        asked[name] = asked.get(name, set()) | extras
        waiting += _needs(found[name], asked[name])
    return found


def _needs(one: Distribution, extras: Set[str]) -> list[tuple[str, set[str]]]:
    """What a package requires on this platform with some of its extras, and with which of theirs."""
    needs = []
    for line in one.requires or ():
        need = Requirement(line)
        if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            needs.append((_normal(need.name), set(need.extras)))
    return needs


def _needed(one: Distribution, found: Mapping[str, Distribution]) -> list[str]:
    """What a package can draw on here: all its requirements that were found, of any extra."""
    names = {_normal(Requirement(line).name) for line in one.requires or ()}
    return sorted(_purl(found[name]) for name in names & found.keys())


def _component(one: Distribution, kind: str) -> dict[str, Any]:
    meta: Mapping[str, str] = one.metadata  # type: ignore[assignment]  # a message, read as a mapping
    licence = meta.get("License-Expression") or meta.get("License") or ""
    known = {"licenses": [_licence(licence)]} if licence else {}
    return {"type": kind, "bom-ref": _purl(one), "name": meta["Name"], "version": one.version,
            "purl": _purl(one), **known}  # fmt: skip


def _licence(text: str) -> dict[str, Any]:
    """The first line of what the package says of its licence."""
    return {"license": {"name": text.strip().splitlines()[0][:100]}}


def _purl(one: Distribution) -> str:
    return f"pkg:pypi/{_normal(one.metadata['Name'])}@{one.version}"


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
