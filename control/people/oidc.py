"""Signed tokens of an identity provider (OIDC), checked offline against its public keys in a file."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from igoudar.control.people.roles import WORDS, Person
from igoudar.core.errors import ConfigError
from igoudar.core.model_people import Oidc

LEEWAY_S = 30  # between our clock and the provider's
PREFIX = "oidc:"  # no local user can have such a name
NAME_MAX = 100
FIX = "save the provider's keys (the jwks_uri of its discovery document) there"


class SignedTokens:
    """Believes tokens of one issuer for one audience, by algorithms that the site file names."""

    def __init__(self, rules: Oidc, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._rules, self._now = rules, now
        self._path = Path(rules.jwks_file).expanduser()
        self._keys, self._saved_at = _keys(self._path), _saved_at(self._path)

    def person(self, token: str) -> Person | None:
        """Who the token speaks for, with the highest role of their groups; None when it is not believed."""
        self._renew()
        try:
            decoded = jwt.decode(token, self._keys, algorithms=list(self._rules.algorithms))
            self._registry().validate(decoded.claims)
        except (JoseError, ValueError, KeyError, TypeError):
            return None
        return self._speaker(decoded.claims)

    def _renew(self) -> None:
        """Providers change their keys: a new file is read, and one that can't be used changes nothing."""
        saved_at = _saved_at(self._path)
        if saved_at != self._saved_at:
            with suppress(ConfigError):
                self._keys, self._saved_at = _keys(self._path), saved_at

    def _registry(self) -> jwt.JWTClaimsRegistry:
        return jwt.JWTClaimsRegistry(
            now=round(self._now().timestamp()),
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self._rules.issuer},
            aud={"essential": True, "value": self._rules.audience},
            exp={"essential": True},
            nbf={"essential": False},
            sub={"essential": True},
        )

    def _speaker(self, claims: Mapping[str, Any]) -> Person | None:
        name = claims.get(self._rules.name_claim) or claims.get("sub")
        groups = claims.get(self._rules.groups_claim, [])
        known = dict(self._rules.roles)
        if not isinstance(name, str) or not isinstance(groups, list):
            return None
        roles = [WORDS[known[group]] for group in groups if isinstance(group, str) and group in known]
        shown = "".join(c for c in name if c.isprintable())[:NAME_MAX]
        return Person(PREFIX + shown, max(roles)) if roles and shown else None


def _saved_at(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _keys(path: Path) -> KeySet:
    try:
        return KeySet.import_key_set(json.loads(path.read_text()))
    except OSError as error:
        raise ConfigError(f"can't be read ({error.strerror})", where=str(path), fix=FIX) from error
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"not a set of public keys ({error})", where=str(path), fix=FIX) from error
