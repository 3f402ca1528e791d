"""The way to a control API: its address, a token, whom to trust, and its refusals as errors."""

import json
import os
import ssl
from dataclasses import dataclass
from pathlib import Path

import httpx

from igoudar.core.errors import CommandError, ConfigError, LinkError
from igoudar.core.model import TlsFiles
from igoudar.core.said import known
from igoudar.core.tls import client_context

UNAUTHORISED, REFUSED = 401, 400
LATER = (429, 503)


@dataclass(frozen=True, slots=True)
class Told:
    """What the API of a state folder says of itself."""

    url: str
    certificate: Path | None = None


def told(state: Path) -> Told:
    """Where the API of a state folder is.

    Raises:
        ConfigError: nothing has been started there.
    """
    try:
        document = json.loads(_read(state / "api.json"))
        named = str(document.get("certificate") or "")
        certificate = Path(named) if named and ca_of_environment() is None else None
        return Told(str(document["url"]), certificate)
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError("the address of the API can't be read", where=str(state / "api.json")) from error


def token(state: Path) -> str:
    """The token of IGOUDAR_TOKEN_FILE, or the operator's of the folder.

    Raises:
        ConfigError: it can't be read.
    """
    return _read(Path(os.environ.get("IGOUDAR_TOKEN_FILE") or state / "token")).strip()


def ca_of_environment() -> Path | None:
    """The authorities that IGOUDAR_CA_FILE names."""
    named = os.environ.get("IGOUDAR_CA_FILE")
    return Path(named) if named else None


def trust(ca: Path | None) -> ssl.SSLContext:
    """The system's authorities, or those (or the very certificates) of one file.

    Raises:
        ConfigError: the file can't be used.
    """
    context = client_context(TlsFiles(ca=str(ca or "")), "api")
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def refused(answer: httpx.Response, where: str) -> LinkError | CommandError | ConfigError:
    """An answer that is a refusal, as the error that it stands for."""
    try:
        said = answer.json()
        what, place, fix = str(said["what"]), str(said.get("where") or where), str(said.get("fix", ""))
        code, params = str(said.get("code", "")), dict(said.get("params", {}))
    except (ValueError, KeyError, TypeError, AttributeError):
        what, place, fix, code, params = f"HTTP {answer.status_code}", where, "", "", {}
    if answer.status_code == UNAUTHORISED:
        return known(ConfigError(what, where=place, fix=fix), code, params)
    kind = LinkError if answer.status_code in LATER else CommandError
    return known(kind(what, where=place, fix=fix), code, params)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"can't be read ({error.strerror})",
            where=str(path),
            fix="is the site up? Start it with `igoudar up`, or give its --state",
        ) from error
