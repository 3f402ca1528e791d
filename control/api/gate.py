"""What every request must pass before a route sees it: host, origin, rate, token, role, kind of body."""

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match

from igoudar.control.api.roles import NEEDED
from igoudar.control.people.door import Door
from igoudar.control.people.roles import Person, Role
from igoudar.control.rate import Rate
from igoudar.control.schema import ErrorView
from igoudar.core.errors import CommandError, IgoudarError, Said, StoreError
from igoudar.core.model_people import Listening, loopback
from igoudar.core.said import said

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
READING = ("GET", "HEAD")
BODY_MAX = 64 * 1024
# Of one address: several people behind one proxy, and guesses at tokens.
ADDRESS_FACTOR = 4
GUESSES_PER_S, GUESSES = 0.5, 20
NOTES_PER_S, NOTES = 0.1, 5  # audit lines about one person's refusals: nobody fills the disk with them
Next = Callable[[Request], Awaitable[Response]]
Refused = Callable[[Person, str, Role], None]
"""Told who was refused what, and the role that it needs."""


def refusal(
    status: int,
    what: str,
    where: str = "",
    fix: str = "",
    headers: Mapping[str, str] | None = None,
    said: Said | None = None,
) -> JSONResponse:
    """An error as a document."""
    told = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    words = {"code": said.code, "params": dict(said.params)} if said else {}
    document = ErrorView.model_validate({"what": what, "where": where, "fix": fix, **words}).model_dump()
    return JSONResponse(document, status_code=status, headers={**told, **(headers or {})})


def told_refusal(status: int, error: IgoudarError, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """One of ours as a document."""
    return refusal(status, error.what, error.where, error.fix, headers, error.said)


def worded(
    status: int, code: str, where: str = "", headers: Mapping[str, str] | None = None, **params: object
) -> JSONResponse:
    """A refusal in the words of the catalogue."""
    return told_refusal(status, said(CommandError, code, where=where, **params), headers)


@dataclass(slots=True)
class Gate:
    """The checks of one application, as HTTP middleware."""

    app: FastAPI
    door: Door
    listening: Listening
    note: Refused = field(default=lambda person, what, needed: None)
    _people: Rate = field(init=False)
    _addresses: Rate = field(init=False)
    _guesses: Rate = field(init=False)
    _noted: Rate = field(default_factory=lambda: Rate(NOTES_PER_S, NOTES))

    def __post_init__(self) -> None:
        per_s, burst = self.listening.calls_per_s, self.listening.burst
        self._people = Rate(per_s, burst)
        self._addresses = Rate(ADDRESS_FACTOR * per_s, ADDRESS_FACTOR * burst)
        self._guesses = Rate(GUESSES_PER_S, GUESSES)

    async def check(self, request: Request, call_next: Next) -> Response:
        """Answer a refusal, or let the route answer."""
        refused = self._foreign(request) or self._often(request) or self._stranger(request)
        return refused or await call_next(request)

    def _foreign(self, request: Request) -> Response | None:
        """A page of another origin, or a name that was bound to us, may not use a person's browser."""
        ours = LOOPBACK | {self.listening.bind, *self.listening.names}
        host = _name(f"//{request.headers.get('host', '')}")
        origin = request.headers.get("origin")
        if host not in ours:
            return worded(421, "refusal.host", host or "")
        if origin is not None and _name(origin) not in ours:
            return worded(403, "refusal.origin", origin)
        return None

    def _often(self, request: Request) -> Response | None:
        wait_s = self._addresses.wait_s(_address(request))
        return _later(wait_s) if wait_s else None

    def _stranger(self, request: Request) -> Response | None:
        path, methods = self._route(request)
        needed = NEEDED.get((request.method, path))
        if path and request.method in methods and needed is None:
            return _body(request)
        try:
            person = self.door.person(request.headers.get("authorization", ""), loopback(_address(request)))
        except StoreError as error:  # whose token it is can't be looked up just now
            return told_refusal(503, error)
        if person is None:
            return self._unknown(_address(request))
        wait_s = self._people.wait_s(person.name)
        return _later(wait_s) if wait_s else self._known(request, person, path, methods)

    def _unknown(self, address: str) -> Response:
        wait_s = self._guesses.wait_s(address)
        return _later(wait_s) if wait_s else worded(401, "refusal.token")

    def _known(self, request: Request, person: Person, path: str, methods: frozenset[str]) -> Response | None:
        if not path:
            return worded(404, "refusal.nothing", request.url.path)
        if request.method not in methods:
            allow = {"Allow": ", ".join(sorted(methods))}
            return worded(405, "refusal.method", request.url.path, allow, method=request.method)
        needed = NEEDED[request.method, path]
        if needed is not None and person.role < needed:
            return self._not_allowed(request, person, needed)
        request.state.person, request.state.who, request.state.role = person, person.name, person.role.word
        return _body(request)

    def _not_allowed(self, request: Request, person: Person, needed: Role) -> Response:
        if not self._noted.wait_s(person.name):
            self.note(person, f"{request.method} {request.url.path}", needed)
        role, wanted = person.role.word, needed.word
        return worded(403, "refusal.role", request.url.path, role=role, needed=wanted)

    def _route(self, request: Request) -> tuple[str, frozenset[str]]:
        """The path as it is declared, and the methods that are served there."""
        path, methods = "", frozenset[str]()
        for route in self.app.routes:
            match, _ = route.matches(request.scope)
            if match is Match.FULL:
                return str(getattr(route, "path", "")), frozenset({request.method})
            if match is Match.PARTIAL:
                path = str(getattr(route, "path", ""))
                methods |= frozenset(getattr(route, "methods", None) or ())
        return path, methods


def undeclared(app: FastAPI) -> list[str]:
    """Routes that the table of roles does not know."""
    served = [(method, str(getattr(route, "path", ""))) for route in app.routes for method in _methods(route)]
    return [f"{method} {path}" for method, path in served if (method, path) not in NEEDED]


def _methods(route: object) -> frozenset[str]:
    return frozenset(getattr(route, "methods", None) or ()) - {"HEAD"}


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _later(wait_s: float) -> Response:
    after = max(1, math.ceil(wait_s))
    return worded(429, "refusal.often", headers={"Retry-After": str(after)}, wait_s=after)


def _name(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _body(request: Request) -> Response | None:
    if request.method in READING:
        return None
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        return worded(415, "refusal.body_kind")
    length = request.headers.get("content-length", "")
    if not length.isdigit() or int(length) > BODY_MAX:
        return worded(413, "refusal.body_long", most=BODY_MAX)
    return None
