"""`igoudar trust`: which OPC UA servers' certificates are accepted."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from igoudar.core.errors import ConfigError
from igoudar.core.i18n import choose_language, render
from igoudar.core.state_path import state_path
from igoudar.core.terminal import draw, printable, safe

if TYPE_CHECKING:  # cryptography is slow to import
    from igoudar.collectors.trust import Listed, TrustStore

HEADS = ("state", "fingerprint", "subject", "until", "server")
STATES = ("own", "trusted", "rejected")

Which = Annotated[str, typer.Argument(help="A fingerprint's first digits (8 or more).")]
SiteOption = Annotated[str, typer.Option("--site", help="Site whose state folder is meant.")]
State = Annotated[Path | None, typer.Option("--state", help="State folder (or IGOUDAR_STATE).")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done; do nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]
Lang = Annotated[str | None, typer.Option("--lang", help="en or fr (or IGOUDAR_LANG).")]


def add_commands(app: typer.Typer) -> None:
    """Add `trust list`, `trust add` and `trust remove`."""
    trust = typer.Typer(no_args_is_help=True, help="Certificates of OPC UA servers: ours, trusted, rejected.")
    trust.command("list", help="Show our certificate and every other that is known.")(show)
    trust.command("add", help="Trust a rejected certificate, or one in a file.")(add)
    trust.command("remove", help="Trust a certificate no longer.")(remove)
    app.add_typer(trust, name="trust")


def show(
    site: SiteOption = "jazari-lab", state: State = None, as_json: Json = False, lang: Lang = None
) -> None:
    """Our own certificate is made here if there is none: servers have to trust it too."""
    store = _store(site, state)
    store.own()
    found = sorted(store.listed(), key=lambda one: STATES.index(one.state))
    if as_json:
        typer.echo(json.dumps({"certificates": [_document(one) for one in found]}))
        return
    speech = choose_language(lang)
    draw([render(f"trust.head_{head}", {}, speech) for head in HEADS], [_row(one, speech) for one in found])


def add(
    which: Annotated[str, typer.Argument(help="A fingerprint's first digits, or a file (DER or PEM).")],
    site: SiteOption = "jazari-lab",
    state: State = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
    lang: Lang = None,
) -> None:
    """Trust a certificate."""
    store = _store(site, state)
    one, der = _offered(store, which)
    if _agreed("add", one, dry_run, yes, lang):
        store.trust(der)
    _say("add", one, dry_run, as_json, lang)


def remove(
    which: Which,
    site: SiteOption = "jazari-lab",
    state: State = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
    lang: Lang = None,
) -> None:
    """Forget a certificate; a session that is open is closed within seconds."""
    store = _store(site, state)
    one = store.find(which)
    if _agreed("remove", one, dry_run, yes, lang):
        store.remove(one.fingerprint)
    _say("remove", one, dry_run, as_json, lang)


def _store(site: str, state: Path | None) -> "TrustStore":
    from igoudar.app.state import state_folder
    from igoudar.collectors.trust import FOLDER, TrustStore

    if state is None and not state_path(site, None).is_dir():
        fix = "name the site with --site or its folder with --state"
        raise ConfigError("nothing has been started there", where=str(state_path(site, None)), fix=fix)
    return TrustStore(state_folder(site, state) / FOLDER)


def _offered(store: "TrustStore", which: str) -> "tuple[Listed, bytes]":
    """A certificate of the store, or one in a file."""
    from igoudar.collectors.certificates import facts, to_der
    from igoudar.collectors.trust import Listed, fingerprint_of

    if not Path(which).is_file():
        one = store.find(which)
        return one, store.content(one)
    try:
        der = to_der(Path(which).read_bytes())
    except (OSError, ValueError) as error:
        fix = "give a certificate as DER or PEM"
        raise ConfigError(f"no certificate ({error})", where=which, fix=fix) from error
    return Listed(fingerprint_of(der), "rejected", facts(der)), der


def _agreed(verb: str, one: "Listed", dry_run: bool, yes: bool, lang: str | None) -> bool:
    if not (dry_run or yes):
        question = render(f"trust.{verb}_ask", _words(one), choose_language(lang))
        typer.confirm(printable(question), abort=True, err=True)
    return not dry_run


def _say(verb: str, one: "Listed", dry_run: bool, as_json: bool, lang: str | None) -> None:
    code = f"trust.{verb}_{'would' if dry_run else 'done'}"
    if as_json:
        document = {"code": code, "dry_run": dry_run, **_document(one), "text": render(code, _words(one))}
        typer.echo(json.dumps(document))
    else:
        typer.echo(printable(render(code, _words(one), choose_language(lang))))


def _words(one: "Listed") -> dict[str, str]:
    until = f"{one.facts.not_after:%Y-%m-%d}"
    return {
        "fingerprint": one.fingerprint,
        "subject": one.facts.subject,
        "until": until,
        "server": one.server,
    }


def _document(one: "Listed") -> dict[str, Any]:
    return {
        "state": one.state,
        "fingerprint": one.fingerprint,
        "subject": one.facts.subject,
        "uri": one.facts.uri,
        "not_before": one.facts.not_before.isoformat(),
        "not_after": one.facts.not_after.isoformat(),
        "server": one.server,
    }


def _row(one: "Listed", lang: str) -> tuple[str, ...]:
    words = _words(one)
    state = render(f"trust.state_{one.state}", {}, lang)
    return tuple(safe(cell) for cell in (state, *(words[head] or "-" for head in HEADS[1:])))
