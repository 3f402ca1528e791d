"""A small identity provider, and a proxy that signs browsers in with it: OIDC's code flow, on loopback.

The proxy does what a site's own does (oauth2-proxy and the like): it asks the provider who the browser is,
keeps the signed token behind a session of its own, and puts it into every request that it lets through, web
sockets too.
"""

import asyncio
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import httpx
import uvicorn
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

from tests.peers.slurm_conf import free_ports

AUDIENCE, COOKIE = "igoudar", "site_session"
HOP = {"connection", "keep-alive", "transfer-encoding", "upgrade", "host", "authorization"}
STARTS_WITHIN_S = 20.0


@dataclass
class SignIn:
    """Provider and proxy on one port; `claims` say who the next browser is."""

    port: int
    behind: str  # HOST:PORT of what the proxy stands before
    claims: dict[str, object]
    life_s: float = 300.0
    codes: set[str] = field(default_factory=set)
    sessions: dict[str, str] = field(default_factory=dict)  # of the proxy: cookie -> signed token
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "one"}))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def issuer(self) -> str:
        return f"{self.url}/provider"

    def save_keys(self, path: Path) -> None:
        path.write_text(json.dumps(KeySet([self.key]).as_dict(private=False)))

    async def authorize(self, request: Request) -> Response:
        code = secrets.token_urlsafe()
        self.codes.add(code)
        asked = request.query_params
        return RedirectResponse(
            f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"
        )

    async def token(self, request: Request) -> Response:
        code = str(httpx.QueryParams((await request.body()).decode()).get("code"))
        if code not in self.codes:
            return JSONResponse({"error": "invalid_grant"}, 400)
        self.codes.discard(code)  # good once
        now = int(time.time())
        said = {"iss": self.issuer, "aud": AUDIENCE, "iat": now, "exp": now + self.life_s, **self.claims}
        return JSONResponse({"id_token": jwt.encode({"alg": "ES256", "kid": "one"}, said, self.key)})

    async def callback(self, request: Request) -> Response:
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.post(f"{self.issuer}/token", data={"code": request.query_params["code"]})
        session = secrets.token_urlsafe()
        self.sessions[session] = answer.json()["id_token"]
        back = RedirectResponse(request.query_params["state"])
        back.set_cookie(COOKIE, session, httponly=True, samesite="lax")
        return back

    async def page(self, request: Request) -> Response:
        token = self.sessions.get(request.cookies.get(COOKIE, ""))
        if token is None:
            wanted = f"{request.url.path}?{request.url.query}"
            ask = {"redirect_uri": f"{self.url}/signed-in", "state": wanted, "scope": "openid"}
            return RedirectResponse(f"{self.issuer}/authorize?{urlencode(ask)}")
        target = f"http://{self.behind}{request.url.path}?{request.url.query}"
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.request(
                request.method,
                target,
                headers=[*_passed(request.headers.items()), ("Authorization", f"Bearer {token}")],
                content=await request.body(),
            )
        kept = {
            n: v for n, v in answer.headers.items() if n not in HOP | {"content-encoding", "content-length"}
        }
        return Response(answer.content, answer.status_code, kept)

    async def socket(self, browser: WebSocket) -> None:
        token = self.sessions.get(browser.cookies.get(COOKIE, ""))
        if token is None:
            await browser.close()
            return
        asked = [Subprotocol(name) for name in browser.scope.get("subprotocols", [])]
        async with connect(
            f"ws://{self.behind}{browser.url.path}",
            origin=Origin(browser.headers["origin"]),
            subprotocols=asked or None,
            additional_headers={
                "Authorization": f"Bearer {token}",
                "Cookie": browser.headers.get("cookie", ""),
            },
            max_size=None,
            proxy=None,
        ) as page:
            await browser.accept(page.subprotocol)
            with suppress(WebSocketDisconnect, ConnectionClosed):
                async with asyncio.TaskGroup() as group:
                    group.create_task(_up(browser, page))
                    group.create_task(_down(page, browser))

    def app(self) -> Starlette:
        provider = [Route("/authorize", self.authorize), Route("/token", self.token, methods=["POST"])]
        every = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"]
        return Starlette(
            routes=[
                Mount("/provider", routes=provider),
                Route("/signed-in", self.callback),
                WebSocketRoute("/{path:path}", self.socket),
                Route("/{path:path}", self.page, methods=every),
            ]
        )


async def _up(browser: WebSocket, page: ClientConnection) -> None:
    while True:
        message = await browser.receive()
        if message["type"] == "websocket.disconnect":
            await page.close()
            return
        await page.send(message.get("bytes") or message.get("text") or b"")


async def _down(page: ClientConnection, browser: WebSocket) -> None:
    async for message in page:
        if isinstance(message, str):
            await browser.send_text(message)
        else:
            await browser.send_bytes(message)


def _passed(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """A browser's own Authorization goes no further."""
    return [(name, value) for name, value in headers if name.lower() not in HOP | {"content-length"}]


@contextmanager
def sign_in(behind: str, **claims: object) -> Iterator[SignIn]:
    """Provider and proxy before an address, for as long as the context is open."""
    (port,) = free_ports(1)
    running = SignIn(port, behind, claims)
    config = uvicorn.Config(running.app(), port=port, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    end = time.monotonic() + STARTS_WITHIN_S
    while not server.started:
        assert time.monotonic() < end, "the proxy does not start"
        threading.Event().wait(0.02)
    try:
        yield running
    finally:
        server.should_exit = True
        thread.join(STARTS_WITHIN_S)
