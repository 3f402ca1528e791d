"""What every request must pass before a route sees it: host, origin, token, role, kind of body."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from igoudar.control.api.tokens import Tokens
from igoudar.control.schema import ErrorView

OPEN = frozenset({"/health", "/metrics"})
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
BODY_MAX = 64 * 1024
Next = Callable[[Request], Awaitable[Response]]


def refusal(status: int, what: str, where: str = "", fix: str = "") -> JSONResponse:
    """An error as a document."""
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    document = ErrorView(what=what, where=where, fix=fix).model_dump()
    return JSONResponse(document, status_code=status, headers=headers)


def gate(tokens: Tokens) -> Callable[[Request, Next], Awaitable[Response]]:
    """The checks as HTTP middleware."""

    async def check(request: Request, call_next: Next) -> Response:
        refused = _foreign(request) or _stranger(request, tokens) or _body(request)
        return refused or await call_next(request)

    return check


def _foreign(request: Request) -> Response | None:
    """A page of another origin, or a name that was bound to us, may not use a person's browser."""
    host = _name(f"//{request.headers.get('host', '')}")
    origin = request.headers.get("origin")
    if host not in LOOPBACK:
        return refusal(421, "this host name is not served here", where=host or "", fix="use 127.0.0.1")
    if origin is not None and _name(origin) not in LOOPBACK:
        return refusal(403, "requests of other origins are refused", where=origin)
    return None


def _name(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _stranger(request: Request, tokens: Tokens) -> Response | None:
    if request.url.path in OPEN:
        return None
    role = tokens.role(request.headers.get("authorization", ""))
    if role is None:
        return refusal(
            401, "a token is needed", fix="send Authorization: Bearer with the token of STATE/token"
        )
    if role == "viewer" and request.method not in ("GET", "HEAD"):
        return refusal(403, "a viewer's token only reads", fix="use the operator's token of STATE/token")
    request.state.role = role
    return None


def _body(request: Request) -> Response | None:
    if request.method in ("GET", "HEAD"):
        return None
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        return refusal(415, "only JSON bodies are taken", fix="send Content-Type: application/json")
    length = request.headers.get("content-length", "")
    if not length.isdigit() or int(length) > BODY_MAX:
        return refusal(413, f"a body has at most {BODY_MAX} bytes and says its length")
    return None
