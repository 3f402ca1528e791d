"""`igoudar profile`: check a profile, also against a live device; list the known ones."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from igoudar.collectors.cli.words import (
    FolderOption,
    JsonOption,
    LangOption,
    document,
    heads,
    say,
    values_table,
)
from igoudar.core.i18n import choose_language
from igoudar.core.terminal import draw, safe

if TYPE_CHECKING:
    from igoudar.collectors.probe.found import Fit
    from igoudar.core.model import Profile

POOR = 1

app = typer.Typer(no_args_is_help=True, help="Profiles: list the known ones, check one of your own.")


@app.command("list")
def list_profiles(folder: FolderOption = None, json: JsonOption = False, lang: LangOption = None) -> None:
    """Every product that can be read, and how far its profile was verified."""
    from igoudar.collectors.profiles import load_profiles

    known = sorted(load_profiles(folder).values(), key=lambda p: (p.kind, p.name))
    if json:
        return document({"profiles": [_facts(profile) for profile in known]})
    speech = choose_language(lang)
    columns = ("profile", "kind", "protocol", "points", "verified", "products")
    rows = [
        (p.name, str(p.kind), p.protocol, str(len(p.points)), p.verified, "; ".join(p.products))
        for p in known
    ]
    return draw(heads(speech, *columns), [tuple(map(safe, row)) for row in rows])


@app.command("check")
def check(
    file: Annotated[Path, typer.Argument(help="Profile file (TOML).")],
    against: Annotated[
        str | None, typer.Option("--against", help="HOST:PORT/UNIT, opc.tcp://HOST:PORT/TAG or an http URL.")
    ] = None,
    timeout_s: Annotated[float, typer.Option("--timeout", help="For each request [s].", min=0.05)] = 1.0,
    json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Check a profile's file; with --against, read a device through it and say how plausible that is."""
    from igoudar.collectors.probe.found import FITS
    from igoudar.collectors.profiles import load_profile

    profile, speech = load_profile(file), choose_language(lang)
    held = None if against is None else asyncio.run(_against(profile, against, timeout_s))
    if json:
        document({"file": str(file), "ok": True, **_facts(profile), "against": held and held.as_json()})
    else:
        _tell(file, profile, held, against or "", speech)
    if held is not None and held.score < FITS:
        raise typer.Exit(POOR)


def _tell(file: Path, profile: "Profile", held: "Fit | None", against: str, lang: str) -> None:
    from igoudar.collectors.probe.found import FITS

    counts = {"points_count": len(profile.points), "requests_count": _requests(profile)}
    say("check_ok", lang, file=file, profile=profile.name, kind=str(profile.kind), **counts)
    if held is None:
        return
    values_table(held.values, held.flags, profile.points, lang)
    score, least = f"{100 * held.score:.0f} %", f"{100 * FITS:.0f} %"
    say("check_fits" if held.score >= FITS else "check_poor", lang, address=against, score=score, least=least)


async def _against(profile: "Profile", against: str, timeout_s: float) -> "Fit":
    from igoudar.collectors.probe.single import hold

    return await hold(profile, against, timeout_s)


def _facts(profile: "Profile") -> dict[str, Any]:
    return {
        "profile": profile.name,
        "kind": str(profile.kind),
        "protocol": profile.protocol,
        "points": len(profile.points),
        "requests": _requests(profile),
        "verified": profile.verified,
        "products": list(profile.products),
        "source": profile.source,
    }


def _requests(profile: "Profile") -> int:
    """Requests of a full poll: 1 where the protocol asks for all points at once."""
    from igoudar.collectors.blocks import compile_plan
    from igoudar.collectors.sunspec import locate

    if profile.protocol != "modbus":
        return 1
    return len(compile_plan(profile, locate(profile), list(profile.points.values())).blocks)
