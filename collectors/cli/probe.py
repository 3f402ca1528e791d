"""`igoudar probe`: what answers at an address."""

import asyncio
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from igoudar.collectors.cli.words import FolderOption, JsonOption, LangOption, document, say, values_table
from igoudar.core.errors import ConfigError, LinkError
from igoudar.core.i18n import choose_language, render
from igoudar.core.terminal import printable

if TYPE_CHECKING:
    from igoudar.collectors.endpoints import Address
    from igoudar.collectors.probe.found import Fit, Found
    from igoudar.collectors.probe.modbus import Guest
    from igoudar.core.model import Profile

Profiles = Mapping[str, "Profile"]


def probe(
    where: Annotated[
        str, typer.Argument(help="HOST, HOST:PORT, HOST:PORT/UNIT, opc.tcp://... or http://...")
    ],
    scan: Annotated[bool, typer.Option("--scan", help="Ask every unit id, 1 to 247.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask before scanning: the same.")] = False,
    timeout_s: Annotated[float, typer.Option("--timeout", help="For each request [s].", min=0.05)] = 1.0,
    profiles: FolderOption = None,
    json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Find out what a device is and what it reads now; nothing is written to it."""
    from igoudar.collectors.probe.target import target
    from igoudar.collectors.profiles import load_profiles

    address, known, speech = target(where), load_profiles(profiles), choose_language(lang)
    if address.scheme.startswith("modbus-"):
        found = _modbus(address, known, timeout_s, scan or yes, None if json else speech)
    else:
        found = asyncio.run(_other(address, known, timeout_s))
    if json:
        return document({"target": where, "found": [one.as_json() for one in found]})
    return _tell(found, speech)


def _modbus(
    address: "Address", known: Profiles, timeout_s: float, scan: bool, speech: str | None
) -> Sequence["Found"]:
    """Look at the unit asked for, at the usual ones, or at all."""
    from igoudar.collectors.probe.modbus import SCAN, USUAL, Guest

    guest = Guest(address, known.values(), timeout_s)
    if address.path:
        units = [_unit(address)]
    else:
        units = asyncio.run(guest.units(USUAL))
        rest = [unit for unit in SCAN if unit not in USUAL]
        if scan or _agreed(address, len(rest), timeout_s, speech):
            units += asyncio.run(guest.units(rest))
    if not units:
        asked = "1 to 247, 255" if scan else ", ".join(map(str, USUAL))
        raise LinkError(
            f"no unit answers to Modbus (asked: {asked})",
            where=address.server if address.port else address.host,
            fix="check address and port, give its unit (HOST:PORT/UNIT), or try all with --scan",
        )
    return asyncio.run(_look(guest, sorted(units)))


async def _look(guest: "Guest", units: Iterable[int]) -> Sequence["Found"]:
    return [await guest.look(unit) for unit in units]


def _unit(address: "Address") -> int:
    if not address.path.isdecimal() or int(address.path) > 255:
        raise ConfigError(f"unit {address.path!r} is not 0..255", where="probe", fix="write HOST:PORT/1")
    return int(address.path)


def _agreed(address: "Address", count: int, timeout_s: float, speech: str | None) -> bool:
    """Ask a person; where nobody can be asked, the answer is no."""
    if speech is None or not _at_terminal():
        return False
    text = render(
        "tools.ask_scan",
        {"count": count, "host": address.host, "most_s": count * timeout_s},
        speech,
    )
    return typer.confirm(printable(text))


def _at_terminal() -> bool:
    return sys.stdin.isatty()


async def _other(address: "Address", known: Profiles, timeout_s: float) -> Sequence["Found"]:
    if address.scheme == "opc.tcp":
        from igoudar.collectors.probe import opcua

        return await opcua.look(address, known.values(), timeout_s)
    from igoudar.collectors.probe import http

    return await http.look(address, known.values())


def _tell(found: Sequence["Found"], lang: str) -> None:
    if not found:
        say("probe_nothing_known", lang)
    for one in found:
        _one(one, lang)


def _one(found: "Found", lang: str) -> None:
    said = " ".join(found.identity.values()) or render("tools.probe_answers", {}, lang)
    say("probe_head", lang, address=found.address, said=said)
    if found.base is not None:
        models = ", ".join(str(number) for number, _ in found.models)
        say("probe_models", lang, base=str(found.base), models=models)
    if found.fits:
        _fit(found, found.fits[0], lang)
    else:
        say("probe_no_fit", lang, address=found.address)


def _fit(found: "Found", fit: "Fit", lang: str) -> None:
    profile = fit.profile
    others = ", ".join(f"{other.profile.name} ({100 * other.score:.0f} %)" for other in found.fits[1:4])
    say("probe_fit", lang, profile=profile.name, kind=str(profile.kind), score=f"{100 * fit.score:.0f} %")
    values_table(fit.values, fit.flags, profile.points, lang)
    if others:
        say("probe_others", lang, others=others)
    say("probe_site", lang)
    typer.echo(f'  profile = "{profile.name}"\n  address = "{printable(found.address)}"')
