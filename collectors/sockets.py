"""What the system is told of a TCP connection: a telegram given up must not arrive later all the same."""

import asyncio
import contextlib
import os
import socket
import struct

LEAST_MS = 1000
AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: closing throws away what was not delivered


def give_up_after(transport: asyncio.BaseTransport, timeout_s: float) -> None:
    """End the connection when what was sent is not received within `timeout_s`; where the system can."""
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is not None:
        value = struct.pack("i", max(LEAST_MS, int(timeout_s * 1000.0)))
        _set(transport, socket.IPPROTO_TCP, option, value)


def discard(transport: asyncio.WriteTransport) -> None:
    """Close at once; what was not delivered yet never will be."""
    _set(transport, socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    transport.abort()


def _set(transport: asyncio.BaseTransport, level: int, option: int, value: bytes) -> None:
    """Set an option; the socket's copy serves any event loop, and a connection that is gone needs none."""
    shared = transport.get_extra_info("socket")
    with contextlib.suppress(OSError):
        if shared is not None and shared.fileno() >= 0:
            with socket.socket(fileno=os.dup(shared.fileno())) as own:
                own.setsockopt(level, option, value)
