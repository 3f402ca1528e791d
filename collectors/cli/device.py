"""`igoudar read` and `igoudar record`: a configured device, now, through the collector that owns its link."""

import asyncio
import json as jsons
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from igoudar.collectors.cli.words import JsonOption, LangOption, document, quality, say, shown, values_table
from igoudar.core.errors import ConfigError, IgoudarError
from igoudar.core.i18n import choose_language
from igoudar.core.state_path import state_path

if TYPE_CHECKING:
    from igoudar.collectors.snapshot import LiveRead
    from igoudar.core.model import Point, Reading

FAULT = 1
DEFAULT_SITE = "jazari-lab"

DeviceArgument = Annotated[str, typer.Argument(help="The device's name, as in `igoudar devices`.")]
SiteOption = Annotated[str, typer.Option("--site", help="Site whose state folder is meant.")]
StateOption = Annotated[Path | None, typer.Option("--state", help="State folder (or IGOUDAR_STATE).")]


def read(
    device: DeviceArgument,
    point: Annotated[str | None, typer.Argument(help="Only this point.")] = None,
    site: SiteOption = DEFAULT_SITE,
    state: StateOption = None,
    json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Read a device of the running site now; exit code 1 when it gives no value."""
    found, speech = asyncio.run(_read(state_path(site, state), device)), choose_language(lang)
    points = _points(found.profile)
    if point is not None and point not in (points or found.reading.values):
        fix = f"one of {', '.join(points or found.reading.values)}"
        raise ConfigError(f"no point {point!r}", where=device, fix=fix)
    if json:
        document(_as_json(found, point))
    else:
        _tell(found, point, points, speech)
    if found.reading.gap is not None or (point is not None and point not in found.reading.values):
        raise typer.Exit(FAULT)


def record(
    device: DeviceArgument,
    out: Annotated[Path | None, typer.Option("--out", help="File to write; default PROFILE.json.")] = None,
    site: SiteOption = DEFAULT_SITE,
    state: StateOption = None,
    json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Dump what a device answers, raw and decoded, for replay in tests; serial numbers are left out."""
    dump = asyncio.run(_record(state_path(site, state), device))
    if json and out is None:
        return document(dump)
    file = out or Path(f"{dump['profile']}.json")
    try:
        file.write_text(jsons.dumps(dump, indent=1) + "\n")
    except OSError as error:
        raise IgoudarError(
            f"can't be written ({error.strerror})", where=str(file), fix="give another --out"
        ) from error
    if json:
        return document(dump)
    return say("record_done", choose_language(lang), file=file, device=device, profile=dump["profile"])


async def _read(state: Path, device: str) -> "LiveRead":
    from igoudar.collectors.client import CollectClient

    async with CollectClient(state / "collect.sock") as client:
        return await client.read(device)


async def _record(state: Path, device: str) -> dict[str, Any]:
    from igoudar.collectors.client import CollectClient

    async with CollectClient(state / "collect.sock") as client:
        return await client.record(device)


def _points(profile: str) -> "dict[str, Point]":
    """The points of a bundled profile; {} for one that only the collector knows."""
    from igoudar.collectors.profiles import load_profiles

    known = load_profiles().get(profile)
    return dict(known.points) if known else {}


def _as_json(found: "LiveRead", point: str | None) -> dict[str, Any]:
    from igoudar.collectors.probe.found import flags_json

    reading = found.reading
    gap = reading.gap
    return {
        "device": reading.device,
        "profile": found.profile,
        "at": reading.at.isoformat(),
        "source_at": reading.source_at.isoformat() if reading.source_at else None,
        "values": {name: value for name, value in reading.values.items() if point in (None, name)},
        "flags": flags_json({name: flag for name, flag in reading.flags.items() if point in (None, name)}),
        "gap": None if gap is None else {"reason": gap.reason.name.lower(), "detail": gap.detail},
    }


def _tell(found: "LiveRead", point: str | None, points: "dict[str, Point]", lang: str) -> None:
    reading = found.reading
    if reading.gap is not None:
        reason = reading.gap.reason.name.lower().replace("_", " ")
        return say("read_gap", lang, device=reading.device, reason=reason, detail=reading.gap.detail)
    if point is not None:
        return _one(reading, point, points, lang)
    at = f"{reading.at:%Y-%m-%d %H:%M:%S} UTC"
    say("read_head", lang, device=reading.device, profile=found.profile, at=at)
    return values_table(reading.values, reading.flags, points, lang)


def _one(reading: "Reading", point: str, points: "dict[str, Point]", lang: str) -> None:
    text = shown(point, reading.values.get(point), points.get(point), lang)
    typer.echo(f"{text}  {quality(point, reading.values, reading.flags)}")
