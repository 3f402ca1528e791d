"""The API on its port: bound before anything else starts, on loopback unless TLS protects it."""

import errno
import json
import socket
from contextlib import nullcontext
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from igoudar.core.errors import ConfigError
from igoudar.core.model_people import Listening
from igoudar.core.tls import server_context

HOST = "127.0.0.1"
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - refused without TLS and people


def bind(port: int, host: str = HOST) -> socket.socket:
    """A listening socket; port 0 takes any free one.

    Raises:
        ConfigError: when the port can't be had.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        raise ConfigError(
            "the port is in use" if taken else f"the port can't be had ({error})",
            where=f"{host}:{port}",
            fix="stop the other program, or choose another with --api-port (0 = any free)",
        ) from error
    return listener


def check_public(listening: Listening, named_people: bool) -> None:
    """An API that other hosts reach needs TLS and people of its own.

    Raises:
        ConfigError: it has not, or its certificate can't be used.
    """
    if listening.certificate:
        server_context(listening.certificate, listening.key, "api")  # before anybody waits for an answer
    if not listening.public:
        return
    if not listening.certificate:
        raise ConfigError(
            f"{listening.bind} is reached by other hosts, and there is no TLS",
            where="[api]",
            fix="give certificate and key, or bind to 127.0.0.1",
        )
    if not named_people:
        raise ConfigError(
            f"{listening.bind} is reached by other hosts, and nobody there could prove who they are",
            where="[api]",
            fix="`igoudar user add` or [people.oidc]; the tokens in the state folder open on this host only",
        )


def announce(state: Path, listener: socket.socket, listening: Listening | None = None) -> str:
    """Write `api.json`, which tells clients where we are; returns the address."""
    rules = listening or Listening()
    port = listener.getsockname()[1]
    url = f"https://{_called(rules)}:{port}" if rules.certificate else f"http://{HOST}:{port}"
    part = state / "api.json.part"
    part.write_text(json.dumps({"schema": 1, "url": url, "certificate": rules.certificate}))
    part.replace(state / "api.json")
    return url


def _called(rules: Listening) -> str:
    """What clients on this host call us, a name that the certificate should have."""
    if rules.names:
        return rules.names[0]
    return HOST if rules.bind in EVERYWHERE else rules.bind


async def serve(app: FastAPI, listener: socket.socket, listening: Listening | None = None) -> None:
    """Answer until cancelled or told to exit."""
    rules = listening or Listening()
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=30,
        ssl_certfile=rules.certificate or None,
        ssl_keyfile=rules.key or None,
    )
    server = uvicorn.Server(config)
    # The process' own signals belong to the service that runs us, not to its web server.
    server.capture_signals = nullcontext  # type: ignore[method-assign,assignment]
    try:
        await server.serve(sockets=[listener])
    finally:
        for one in getattr(server, "servers", ()):  # cancelled, uvicorn leaves its sockets to the event loop
            one.close()
