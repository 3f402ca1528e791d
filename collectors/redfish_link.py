"""One Redfish service: resources read and changed over a connection of its own, signed in where it is asked.

Source: DMTF DSP0266: basic authentication, sessions, ETag and If-Match.
"""

import base64
import contextlib
import json
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from igoudar.collectors.faults import DeviceFault, LinkFault
from igoudar.collectors.http_line import Answer, HttpLine
from igoudar.collectors.readers import Permit
from igoudar.collectors.redfish_json import parsed
from igoudar.collectors.redfish_refusal import refusal
from igoudar.core.model import Reason, RedfishLogin

SESSIONS = "/redfish/v1/SessionService/Sessions"
TIMEOUT_S = 5.0  # a management controller is slow on its best days
UNAUTHORISED, CHANGED_MEANWHILE, BUSY = 401, 412, 503
DONE = range(200, 300)
ACCEPTED = 202  # it will happen later: only reading back tells


class Resource(NamedTuple):
    """A resource as it stood, and its ETag ("" where the service has none)."""

    document: Mapping[str, Any]
    etag: str


class Request(NamedTuple):
    """One request without what the link adds: host and account."""

    lines: tuple[str, ...]
    body: bytes


class RedfishLink:
    """Speaks to one service; one request at a time.

    Args:
        host: Name or address.
        port: Of the service.
        tls: Gives the context of a connection over TLS, None for one in the clear.
        login: The account; it is never told to a service in the clear.
        where: What errors name.
        timeout_s: For each exchange (wall) [s].
    """

    def __init__(
        self,
        host: str,
        port: int,
        tls: Callable[[], ssl.SSLContext] | None,
        login: RedfishLogin,
        where: str,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self.where = where
        self._line = HttpLine(host, port, tls() if tls else None, timeout_s, where)
        self._host = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._login = login if tls and login.user_file else None
        self._authorisation = ""
        self._session = ""

    async def get(self, path: str, *, urgent: bool = False) -> Resource:
        """A resource; `urgent` before those that polls wait for.

        Raises:
            DeviceFault: the service refuses, and how.
            LinkFault: it does not answer as it should.
        """
        answer = self._accepted(await self._signed_in(_request("GET", path), urgent=urgent))
        document = self._document(answer)
        return Resource(document, _etag(answer, document))

    async def patch(self, path: str, change: Mapping[str, Any], etag: str, permit: Permit) -> bool:
        """Change a resource that still is what `etag` says; whether it is done already.

        Raises:
            DeviceFault: the service refuses, and how.
            LinkFault: it is not known to have happened; Withheld: nothing was sent.
        """
        answer = await self._signed_in(_request("PATCH", path, change, etag), permit)
        return self._accepted(answer).status != ACCEPTED

    async def close(self) -> None:
        """Sign off and close the connection."""
        if self._session:
            with contextlib.suppress(LinkFault):
                await self._exchange(_request("DELETE", self._session))
            self._session = self._authorisation = ""
        self._line.close()

    async def _signed_in(
        self, request: Request, permit: Permit | None = None, *, urgent: bool = False
    ) -> Answer:
        """Send a request; sign in first, and anew where the session has ended."""
        if self._login and not self._authorisation:
            await self._sign_in(self._login)
        answer = await self._exchange(request, permit, urgent=urgent)
        if answer.status == UNAUTHORISED and self._session and self._login:
            await self._sign_in(self._login)
            answer = await self._exchange(request, permit, urgent=urgent)
        return answer

    async def _sign_in(self, login: RedfishLogin) -> None:
        user, password = _secret(login.user_file), _secret(login.password_file)
        if not login.session:
            pair = base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
            self._authorisation = f"Authorization: Basic {pair}"
            return
        self._authorisation = self._session = ""
        credentials = {"UserName": user, "Password": password}
        answer = self._accepted(await self._exchange(_request("POST", SESSIONS, credentials)))
        token = _plain(answer.headers.get(b"x-auth-token", b"").decode("latin-1"))
        if not token:
            raise self._line.fault(Reason.MALFORMED, "a session without a token")
        self._authorisation = f"X-Auth-Token: {token}"
        self._session = _path(answer.headers.get(b"location", b"").decode("latin-1")) or SESSIONS

    async def _exchange(
        self, request: Request, permit: Permit | None = None, *, urgent: bool = False
    ) -> Answer:
        lines = [request.lines[0], f"Host: {self._host}", self._authorisation, *request.lines[1:]]
        head = "\r\n".join([*filter(None, lines), "", ""])
        content = head.encode("latin-1", "replace") + request.body
        return await self._line.exchange(content, permit, urgent=urgent)

    def _accepted(self, answer: Answer) -> Answer:
        if answer.status in DONE:
            return answer
        reason = Reason.BUSY if answer.status == BUSY else Reason.EXCEPTION
        raise DeviceFault(reason, answer.status, refusal(answer.status, answer.body), where=self.where)

    def _document(self, answer: Answer) -> Mapping[str, Any]:
        try:
            return parsed(answer.body)
        except ValueError as error:
            raise self._line.fault(Reason.MALFORMED, f"not a resource ({error})") from error


def _request(method: str, path: str, body: Mapping[str, Any] | None = None, etag: str = "") -> Request:
    content = b"" if body is None else json.dumps(body).encode()
    lines = [
        f"{method} {path} HTTP/1.1",
        "Accept: application/json",
        "OData-Version: 4.0",
        "User-Agent: igoudar",
    ]
    if etag:
        lines.append(f"If-Match: {etag}")
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return Request(tuple(lines), content)


def _etag(answer: Answer, document: Mapping[str, Any]) -> str:
    sent = answer.headers.get(b"etag", b"").decode("latin-1")
    return _plain(sent or str(document.get("@odata.etag", "")))


def _path(location: str) -> str:
    """The path of a Location header, which may be a whole URL."""
    path = "/" + location.split("://", 1)[1].partition("/")[2] if "://" in location else location
    return _plain(path) if " " not in path else ""


def _plain(text: str) -> str:
    """What a service wants back in a header, unless it would break the request."""
    return text if text.isprintable() else ""


def _secret(file: str) -> str:
    where = f"links.redfish: {file}"
    try:
        text = Path(file).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        what, fix = f"the account can't be read ({error})", "name a file that the collector can read"
        raise LinkFault(Reason.NO_CONNECTION, what, where=where, fix=fix) from error
    if not text.isprintable() or not text:
        what, fix = "holds no name or password", "one line of text"
        raise LinkFault(Reason.NO_CONNECTION, what, where=where, fix=fix)
    return text
