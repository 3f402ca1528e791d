"""One cap agent over mutual TLS: what its GPUs hold, and a new cap for them."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import httpx

from igoudar.collectors.results import Error, Result
from igoudar.control.caps_agent.answers import read_result
from igoudar.core.errors import LinkError
from igoudar.core.model import TlsFiles
from igoudar.core.model_caps import CapAgent, Capping
from igoudar.core.tls import client_context

TIMEOUT_S = 5.0  # wall, for a whole exchange
ALL = "/v1/caps/all"
SHOWN = "/v1/caps"


@dataclass(frozen=True, slots=True)
class Held:
    """What NVML read back at one node; `boot_id` is another one after each boot."""

    boot_id: str
    limits_w: Mapping[str, float]  # by UUID
    commands: Mapping[str, str]  # UUID -> the command whose cap it has
    left_s: float  # of the cap that ends first; 0 where one GPU has none


class CapClient:
    """Speaks to all agents of a site; connections are kept.

    Args:
        capping: Certificates, and who the agents are.
    """

    def __init__(self, capping: Capping) -> None:
        self._capping = capping

    @cached_property
    def _http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(verify=_context(self._capping), timeout=TIMEOUT_S, trust_env=False)

    async def close(self) -> None:
        """Release the connections."""
        if "_http" in self.__dict__:
            await self._http.aclose()

    async def held(self, agent: CapAgent) -> Held:
        """What its GPUs hold now.

        Raises:
            LinkError: it does not answer, or not as an agent.
            ConfigError: our certificate can't be used.
        """
        document = await self._document("GET", agent, SHOWN)
        try:
            return _held(document)
        except (KeyError, TypeError, ValueError) as error:
            raise LinkError(f"{_said(document)} ({error!r})", where=agent.node) from error

    async def put(self, agent: CapAgent, body: Mapping[str, Any]) -> Result:
        """Cap all GPUs of a node; what goes wrong on the way is an Error."""
        try:
            document = await self._document("PUT", agent, ALL, dict(body))
            return read_result(document["result"])
        except LinkError as error:
            return Error(str(error))
        except (KeyError, TypeError) as error:
            return Error(f"{agent.node}: {_said(document)} ({error!r})")

    async def _document(
        self, method: str, agent: CapAgent, path: str, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        try:
            answer = await self._http.request(method, agent.url.rstrip("/") + path, json=body)
            document = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, ValueError) as error:
            what = f"the cap agent does not answer ({type(error).__name__}: {error})"
            raise LinkError(
                what, where=agent.node, fix="see `systemctl status igoudar-cap-agent` there"
            ) from error
        if not isinstance(document, dict):
            raise LinkError("what answers is no cap agent", where=agent.node)
        return document


def _held(document: Mapping[str, Any]) -> Held:
    gpus = document["gpus"]
    caps = {gpu["uuid"]: gpu["cap"] for gpu in gpus}
    return Held(
        str(document["boot_id"]),
        {str(gpu["uuid"]): float(gpu["limit_w"]) for gpu in gpus},
        {uuid: str(cap["command_id"]) for uuid, cap in caps.items() if cap},
        min((float(cap["left_s"]) if cap else 0.0 for cap in caps.values()), default=0.0),
    )


def _said(document: Mapping[str, Any]) -> str:
    error = document.get("error")
    told = error.get("code") if isinstance(error, dict) else None
    return f"the agent refused: {told}" if told else "what answers is no cap agent"


def _context(capping: Capping) -> ssl.SSLContext:
    """TLS 1.3, the agent's certificate verified for the address we call, ours shown."""
    files = TlsFiles(capping.ca, capping.certificate, capping.key)
    return client_context(files, "caps", ssl.TLSVersion.TLSv1_3)
