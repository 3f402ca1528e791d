"""Who may call: two tokens in files of their own, made at the first start."""

import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from igoudar.control.people.roles import Person, Role
from igoudar.core.errors import StoreError

FILES = {Role.OPERATOR: "token", Role.VIEWER: "viewer.token"}
MODE = 0o600


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of this state folder."""

    operator: str
    viewer: str

    def person(self, token: str) -> Person | None:
        """Whom a token stands for, None when it is neither; compared in constant time."""
        given = token.encode()
        operator = hmac.compare_digest(given, self.operator.encode())
        viewer = hmac.compare_digest(given, self.viewer.encode())
        role = Role.OPERATOR if operator else Role.VIEWER if viewer else None
        return Person(role.word, role) if role else None


def open_tokens(state: Path) -> Tokens:
    """The tokens of a state folder, made when they are not there yet."""
    return Tokens(_token(state / FILES[Role.OPERATOR]), _token(state / FILES[Role.VIEWER]))


def _token(path: Path) -> str:
    try:
        if not path.exists():
            _write(path, secrets.token_urlsafe(32))
        path.chmod(MODE)
        token = path.read_text().strip()
    except OSError as error:
        raise StoreError(
            f"the token can't be kept ({error.strerror})", where=str(path), fix="check its permissions"
        ) from error
    if not token:
        raise StoreError(
            "the token file is empty", where=str(path), fix="delete it; the next start makes one"
        )
    return token


def _write(path: Path, token: str) -> None:
    """Readable by nobody else from its first moment on."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
    with os.fdopen(descriptor, "w") as file:
        file.write(token + "\n")
