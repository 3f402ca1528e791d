"""Who sits at the screen, where the site's own proxy has asked them: their signed token, never kept."""

from dataclasses import dataclass

import streamlit as st

from igoudar.control.client import ApiClient
from igoudar.core.errors import IgoudarError
from igoudar.dashboard.source import source

HEADER = "Authorization"
PARTS = 3  # of a signed token


@dataclass(frozen=True, slots=True)
class Signed:
    """A token that came with the page's connection, and whom the API takes its bearer for."""

    token: str
    name: str = ""
    role: str = ""
    problem: str = ""  # why the API does not believe it


def signed_in() -> Signed | None:
    """The person whom a proxy signed in; None where nobody put a token into the request.

    Nothing is believed here: the API checks the signature, the groups and the end of the token.
    """
    token = _bearer(st.context.headers.get(HEADER) or "")
    if not token:
        return None
    try:
        with ApiClient(source().url, token) as client:
            person = client.whoami()
    except IgoudarError as error:
        return Signed(token, problem=error.what)
    return Signed(token, person.name, person.role)


def _bearer(said: str) -> str:
    scheme, _, token = said.partition(" ")
    return token.strip() if scheme.lower() == "bearer" and len(token.split(".")) == PARTS else ""
