"""The people and programs with a token of their own; only its hash is kept."""

import hashlib
import hmac
import re
import secrets
from datetime import datetime

from sqlalchemy import select

from igoudar.control.errors import UnknownNameError
from igoudar.control.people.roles import WORDS, Person, Role
from igoudar.control.records.safety_tables import UserRow
from igoudar.control.records.state import Records
from igoudar.control.records.tables import ActionRow
from igoudar.control.text import text
from igoudar.core.errors import CommandError, ConfigError
from igoudar.core.said import said

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
# Names that mean somebody already: our own parts, and the two tokens of the state folder.
RESERVED = frozenset({"control", "collect", "failsafe", "igoudar", "operator", "viewer", "start"})
PREFIX = "igd_"  # lets a scanner for leaked secrets recognise one


def new_token() -> str:
    """256 random bits."""
    return PREFIX + secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What is kept of a token; with 256 random bits nothing slower is needed."""
    return hashlib.sha256(token.encode()).hexdigest()


def role_word(word: str) -> Role:
    """A role by its word.

    Raises:
        ConfigError: for any other word.
    """
    if word not in WORDS:
        raise said(
            ConfigError, "refusal.role_unknown", where="--role", word=repr(word), known=", ".join(WORDS)
        )
    return WORDS[word]


class Users:
    """Named users in the records; every change is an audit line."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def add(self, name: str, role: Role, by: str, at: datetime, version: str = "") -> str:
        """A new user; the token, which nobody can be shown again.

        Raises:
            CommandError: the name is taken or can't be one.
        """
        if not NAME.fullmatch(name):
            raise said(CommandError, "refusal.user_name", name=name)
        if name in RESERVED or any(row.name == name for row in self.listed()):
            raise said(CommandError, "refusal.user_taken", where=name)
        token = new_token()
        row = UserRow(
            name=name,
            role=role.word,
            token_hash=token_hash(token),
            created_at=at,
            created_by=by,
            disabled=False,
        )
        self._records.add([row, _line(by, "user_add", name, None, role.word, at, version)])
        return token

    def disable(self, name: str, by: str, at: datetime, version: str = "") -> UserRow:
        """From now on the user's token opens nothing; the name stays taken.

        Raises:
            UnknownNameError: there is no such user.
        """
        row = next((row for row in self.listed() if row.name == name), None)
        if row is None:
            raise said(UnknownNameError, "refusal.no_user", where=name)
        if not row.disabled:
            row.disabled = True
            self._records.merge([row])
            self._records.add([_line(by, "user_disable", name, row.role, "disabled", at, version)])
        return row

    def listed(self) -> list[UserRow]:
        """Everybody, by name."""
        return self._records.rows(select(UserRow).order_by(UserRow.name))

    def person(self, token: str) -> Person | None:
        """Whose token it is; every hash is compared, each in constant time."""
        given, found = token_hash(token), None
        for row in self.listed():
            if hmac.compare_digest(row.token_hash, given) and not row.disabled:
                found = Person(row.name, WORDS[row.role])
        return found


def _line(
    by: str, verb: str, name: str, before: str | None, after: str, at: datetime, version: str
) -> ActionRow:
    said = text(f"audit.{verb}", name=name, who=by)
    return ActionRow(
        at=at,
        who=by,
        verb=verb,
        target=name,
        before=before,
        after=after,
        code=said.code,
        params=said.params,
        result="done",
        config_version=version,
    )
