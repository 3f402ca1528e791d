"""The certificate store: our own certificate, the servers' that a person trusts, and those turned away.

`own/` holds our certificate and key, `trusted/` and `rejected/` one DER file per certificate, named by its
SHA-256 fingerprint; a note beside a rejected one says which server showed it.
"""

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from igoudar.collectors.certificates import Facts, facts, self_signed
from igoudar.collectors.faults import LinkFault
from igoudar.core.errors import ConfigError
from igoudar.core.model import Reason

FOLDER = "pki"  # in the state folder
MOST_REJECTED = 100  # files: a server that shows a new certificate at every call can't fill the disk
SHORTEST_PREFIX = 8  # hex digits of a fingerprint that a person may type


class Own(NamedTuple):
    """What we show to servers."""

    certificate: Path
    key: Path
    facts: Facts


class Listed(NamedTuple):
    """One certificate of the store."""

    fingerprint: str
    state: str  # own | trusted | rejected
    facts: Facts
    server: str = ""  # where it was seen


class TrustStore:
    """Certificates in `folder`, which is made at first need, for this user alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def own(self) -> Own:
        """Our certificate and key, made at first need.

        Raises:
            ConfigError: they can't be read or written.
        """
        certificate, key = self._room("own") / "certificate.der", self._room("own") / "key.pem"
        try:
            if not (certificate.exists() and key.exists()):
                made = self_signed()
                _write(key, made.key)
                _write(certificate, made.certificate)
            return Own(certificate, key, facts(certificate.read_bytes()))
        except (OSError, ValueError) as error:
            fix = "remove both files: new ones are made, and servers must trust them anew"
            raise ConfigError(f"our certificate can't be used ({error})", where=str(key), fix=fix) from error

    def check(self, der: bytes, server: str) -> None:
        """Let a trusted and valid certificate pass; keep any other among the rejected.

        Raises:
            LinkFault: why `server` is not spoken to.
        """
        fingerprint = fingerprint_of(der)
        if not self._file("trusted", fingerprint).exists():
            self._reject(der, fingerprint, server)
            fix = f"if it is the plant's own: igoudar trust add {fingerprint[:16]}"
            raise LinkFault(
                Reason.NO_CONNECTION, f"certificate {fingerprint} is not trusted", where=server, fix=fix
            )
        if why := _unfit(facts(der)):
            fix = "give the server a new certificate"
            raise LinkFault(Reason.NO_CONNECTION, f"certificate {fingerprint} {why}", where=server, fix=fix)

    def listed(self) -> list[Listed]:
        """All certificates; files that are none are left out."""
        found = [
            self._listed(file, state) for state in ("own", "trusted", "rejected") for file in self._all(state)
        ]
        return [one for one in found if one is not None]

    def find(self, text: str) -> Listed:
        """The trusted or rejected certificate whose fingerprint starts with `text`.

        Raises:
            ConfigError: none or several do.
        """
        prefix = text.replace(":", "").lower()
        found = [one for one in self.listed() if one.state != "own" and one.fingerprint.startswith(prefix)]
        if len(prefix) < SHORTEST_PREFIX or len(found) != 1:
            what = f"{len(found)} certificates match" if prefix else "no fingerprint"
            fix = f"`igoudar trust list` shows them; type {SHORTEST_PREFIX} digits or more"
            raise ConfigError(what, where=text, fix=fix)
        return found[0]

    def trust(self, der: bytes) -> None:
        """Accept a certificate."""
        fingerprint = fingerprint_of(der)
        _write(self._room("trusted") / f"{fingerprint}.der", der)
        self._drop("rejected", fingerprint)

    def remove(self, fingerprint: str) -> None:
        """Forget a certificate: from now on it is turned away."""
        self._drop("trusted", fingerprint)
        self._drop("rejected", fingerprint)

    def content(self, one: Listed) -> bytes:
        """The certificate itself, DER."""
        return self._file(one.state, one.fingerprint).read_bytes()

    def _reject(self, der: bytes, fingerprint: str, server: str) -> None:
        room = self._room("rejected")
        if not self._file("rejected", fingerprint).exists():
            oldest = sorted(room.glob("*.der"), key=lambda file: file.stat().st_mtime)
            for file in oldest[: max(0, len(oldest) + 1 - MOST_REJECTED)]:
                self._drop("rejected", file.stem)
            _write(room / f"{fingerprint}.der", der)
            _write(room / f"{fingerprint}.server", server.encode())

    def _listed(self, file: Path, state: str) -> Listed | None:
        try:
            der = file.read_bytes()
            note = file.with_suffix(".server")
            server = note.read_text(errors="replace") if note.exists() else ""
            return Listed(fingerprint_of(der), state, facts(der), server)
        except (OSError, ValueError):
            return None

    def _all(self, state: str) -> list[Path]:
        return sorted((self._folder / state).glob("*.der"))

    def _file(self, state: str, fingerprint: str) -> Path:
        return self._folder / state / f"{fingerprint}.der"

    def _drop(self, state: str, fingerprint: str) -> None:
        file = self._file(state, fingerprint)
        file.unlink(missing_ok=True)
        file.with_suffix(".server").unlink(missing_ok=True)

    def _room(self, state: str) -> Path:
        room = self._folder / state
        for folder in (self._folder, room):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return room


def fingerprint_of(der: bytes) -> str:
    """SHA-256 of a certificate, as hexadecimal digits."""
    return hashlib.sha256(der).hexdigest()


def _unfit(known: Facts) -> str:
    """Why a trusted certificate can't be used, "" when it can."""
    now = datetime.now(UTC)
    if now >= known.not_after:
        return f"expired on {known.not_after:%Y-%m-%d}"
    if now < known.not_before:
        return f"is not valid before {known.not_before:%Y-%m-%d}"
    return "" if known.bits >= 2048 else f"has a key of only {known.bits} bits"


def _write(file: Path, content: bytes) -> None:
    """Whole or not at all, for this user alone."""
    part = file.with_name(file.name + ".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(file)
