"""Whose a bearer token is: of the state folder, of a named user, or of the identity provider."""

from dataclasses import dataclass
from pathlib import Path

from igoudar.control.api.tokens import Tokens, open_tokens
from igoudar.control.people.oidc import SignedTokens
from igoudar.control.people.roles import Person
from igoudar.control.people.users import PREFIX, Users
from igoudar.core.model import Site

TOKEN_MAX = 8192


@dataclass(frozen=True, slots=True)
class Door:
    """Lets known people in."""

    tokens: Tokens
    users: Users
    signed: SignedTokens | None = None

    def person(self, authorization: str, local: bool) -> Person | None:
        """Who calls, None when the header opens nothing.

        The tokens of the state folder open for callers on this host alone, and need no database: hands-off
        must work when much else does not.
        """
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token or len(token) > TOKEN_MAX:
            return None
        ours = self.tokens.person(token)
        if ours is not None:
            return ours if local else None
        if token.startswith(PREFIX):
            return self.users.person(token)
        return self.signed.person(token) if self.signed else None


def open_door(site: Site, state: Path, users: Users) -> Door:
    """The door of a site.

    Raises:
        ConfigError: the provider's keys can't be used.
        StoreError: the tokens of the state folder can't be kept.
    """
    oidc = site.people.oidc
    return Door(open_tokens(state), users, SignedTokens(oidc) if oidc else None)
