"""The API on its port: bound before anything else starts, loopback only."""

import errno
import json
import socket
from contextlib import nullcontext
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from igoudar.core.errors import ConfigError

HOST = "127.0.0.1"


def bind(port: int) -> socket.socket:
    """A listening socket on loopback; port 0 takes any free one.

    Raises:
        ConfigError: when the port can't be had.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        raise ConfigError(
            "the port is in use" if taken else f"the port can't be had ({error})",
            where=f"{HOST}:{port}",
            fix="stop the other program, or choose another with --api-port (0 = any free)",
        ) from error
    return listener


def announce(state: Path, listener: socket.socket) -> str:
    """Write `api.json`, which tells clients where we are; returns the address."""
    url = f"http://{HOST}:{listener.getsockname()[1]}"
    part = state / "api.json.part"
    part.write_text(json.dumps({"schema": 1, "url": url}))
    part.replace(state / "api.json")
    return url


async def serve(app: FastAPI, listener: socket.socket) -> None:
    """Answer until cancelled or told to exit."""
    config = uvicorn.Config(
        app, lifespan="off", log_level="warning", access_log=False, server_header=False, timeout_keep_alive=30
    )
    server = uvicorn.Server(config)
    # The process' own signals belong to the service that runs us, not to its web server.
    server.capture_signals = nullcontext  # type: ignore[method-assign,assignment]
    await server.serve(sockets=[listener])
