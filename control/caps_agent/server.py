"""HTTPS with mutual TLS: who has a pinned name may get and set caps, and nothing else is answered."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

from igoudar.control.caps_agent.answers import STATUS, error_document, node_document, result_document
from igoudar.control.caps_agent.asking import BadRequestError, parse_asked
from igoudar.control.caps_agent.config import AgentConfig
from igoudar.control.caps_agent.gpus import GpuError
from igoudar.control.caps_agent.http import Handler, Request, Response, converse
from igoudar.control.caps_agent.names import names
from igoudar.control.caps_agent.node import Node
from igoudar.core.errors import ConfigError
from igoudar.core.tls import server_context

LOG = logging.getLogger(__name__)

ROOT = "/v1/caps"
IDLE_S = 60.0  # wall
HANDSHAKE_S = 10.0
MOST = 16  # connections at a time


def tls_context(config: AgentConfig) -> ssl.SSLContext:
    """TLS 1.3; a peer without a certificate of our authority does not get through the handshake.

    Raises:
        ConfigError: a file that is missing or holds something else.
    """
    return server_context(
        config.certificate, config.key, "cap-agent", config.client_ca, ssl.TLSVersion.TLSv1_3
    )


class Server:
    """Answers while `listening`.

    Args:
        config: Where, and who may ask.
        node: Whose caps.
    """

    def __init__(self, config: AgentConfig, node: Node) -> None:
        self._config, self._node = config, node
        self._clients: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        """Listen while the context is open; gives the port.

        Raises:
            ConfigError: the address or a TLS file can't be used.
        """
        config, context = self._config, tls_context(self._config)
        try:
            server = await asyncio.start_server(
                self._connected, config.host, config.port, ssl=context, ssl_handshake_timeout=HANDSHAKE_S
            )
        except OSError as error:
            where, fix = f"{config.host}:{config.port}", "choose another address for `listen`"
            raise ConfigError(f"can't listen ({error.strerror})", where=where, fix=fix) from error
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            server.close()
            for client in tuple(self._clients):
                client.cancel()
            await asyncio.gather(*self._clients, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._client(reader, writer))
        self._clients.add(task)
        task.add_done_callback(self._clients.discard)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        known = names(writer.get_extra_info("peercert") or {})
        handler: Handler = self.answer
        if len(self._clients) > MOST:
            handler = _too_many
        elif not known & self._config.clients:
            LOG.warning("a client was refused: %s", ", ".join(sorted(known)) or "no name")
            handler = _stranger
        try:
            await converse(reader, writer, handler, idle_s=IDLE_S, refused=_refused)
        except (OSError, TimeoutError, ssl.SSLError) as error:
            LOG.info("a client is gone: %s", error)
        finally:
            writer.close()

    async def answer(self, request: Request) -> Response:
        """One request of a pinned client; never raises for what it asks."""
        try:
            return await self._answer(request)
        except BadRequestError as error:
            return Response(HTTPStatus.BAD_REQUEST, error_document(error.code, error.what))
        except GpuError as error:
            return Response(HTTPStatus.BAD_GATEWAY, error_document(error.code, str(error)))

    async def _answer(self, request: Request) -> Response:
        path, _, gpu = request.path.removeprefix(ROOT).partition("/")
        if path or not request.path.startswith(ROOT):
            return _refused(HTTPStatus.NOT_FOUND, "no_such_path")
        if request.method == "GET" and not gpu:
            return Response(HTTPStatus.OK, await self._shown())
        if request.method == "PUT" and gpu:
            result = await self._node.set_cap(parse_asked(gpu, request.body))
            shown = {"result": result_document(result), **await self._shown()}
            return Response(STATUS[type(result)], shown)
        return _refused(HTTPStatus.METHOD_NOT_ALLOWED, "get_all_or_put_one")

    async def _shown(self) -> dict[str, object]:
        gpus, driver = await self._node.look()
        return node_document(self._node.keeper, gpus, driver)


async def _stranger(request: Request) -> Response:
    del request
    return _refused(HTTPStatus.FORBIDDEN, "name_not_pinned")


async def _too_many(request: Request) -> Response:
    del request
    return _refused(HTTPStatus.SERVICE_UNAVAILABLE, "too_many_clients")


def _refused(status: HTTPStatus, code: str) -> Response:
    return Response(status, error_document(code, status.phrase))
