"""The other end of the collector's socket."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Self

from igoudar.collectors import wire
from igoudar.collectors.authority import Authority, pack_authority
from igoudar.collectors.results import Result
from igoudar.collectors.snapshot import LiveRead, Snapshot
from igoudar.core.errors import LinkError
from igoudar.core.model import Reading, Setpoint

TIMEOUT_S = 10.0


class CollectClient:
    """Talks to a collector while the context is open.

    Args:
        path: `STATE/collect.sock`.
        timeout_s: For each request, writes included (wall) [s].
    """

    def __init__(self, path: Path, timeout_s: float = TIMEOUT_S) -> None:
        self._path, self._timeout_s = path, timeout_s
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._turn = asyncio.Lock()
        self._number = 0

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await self._open()
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._writer is not None:
            self._writer.close()

    async def ping(self) -> None:
        """Return when the collector answers.

        Raises:
            LinkError: it does not; so do all calls.
        """
        await self._ask("ping")

    async def snapshot(self) -> Snapshot:
        """The newest of every device."""
        return wire.unpack_snapshot((await self._ask("snapshot"))["snapshot"])

    async def metrics(self) -> dict[str, float]:
        """The collector's own figures."""
        metrics: dict[str, float] = (await self._ask("metrics"))["metrics"]
        return metrics

    async def read(self, device: str) -> LiveRead:
        """One device, read now; a device that gives nothing has a gap in its reading."""
        answer = await self._ask("read", device=device)
        return LiveRead(answer["profile"], wire.unpack_reading(answer["reading"]))

    async def record(self, device: str) -> dict[str, Any]:
        """What one device answers now, raw and decoded; see collectors/dump.py."""
        dump: dict[str, Any] = (await self._ask("record", device=device))["dump"]
        return dump

    async def write(self, setpoint: Setpoint) -> Result:
        """Have a setpoint checked and written; the result says what became of it."""
        answer = await self._ask("write", setpoint=wire.pack_setpoint(setpoint))
        return wire.unpack_result(answer["result"])

    async def authority(self, authority: Authority) -> None:
        """Tell who may write, for how long and what; once each control cycle.

        Raises:
            LinkError: also when a later holder of the lease has been seen.
        """
        await self._ask("authority", authority=pack_authority(authority))

    async def hands_off(self, who: str, why: str, *, on: bool = True) -> None:
        """Stop every write from now on, or let them through again; the file STATE/handsoff is the same."""
        await self._ask("handsoff", on=on, who=who, why=why)

    async def subscribe(self) -> AsyncIterator[list[Reading]]:
        """Every batch of readings from now on, on a connection of its own; ends when the collector goes."""
        reader, writer = await self._open()
        try:
            writer.write(wire.pack({"id": 0, "op": "subscribe"}))
            while (frame := await wire.receive(reader)) is not None:
                yield [wire.unpack_reading(reading) for reading in frame["readings"]]
        finally:
            writer.close()

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await asyncio.open_unix_connection(self._path)
        except OSError as error:  # TimeoutError is one
            raise self._gone(str(error)) from error

    async def _ask(self, op: str, **rest: Any) -> dict[str, Any]:
        """One request at a time; a broken connection is opened anew for the next one."""
        async with self._turn:
            if self._writer is None or self._writer.is_closing():
                self._reader, self._writer = await self._open()
            try:
                async with asyncio.timeout(self._timeout_s):
                    return await self._exchange(op, rest)
            except BaseException as error:
                self._writer.close()  # an answer that still comes must not meet the next request
                if isinstance(error, OSError):
                    raise self._gone(str(error) or "no answer in time") from error
                raise

    async def _exchange(self, op: str, rest: dict[str, Any]) -> dict[str, Any]:
        assert self._reader is not None  # noqa: S101 - opened by the caller
        assert self._writer is not None  # noqa: S101
        self._number += 1
        self._writer.write(wire.pack({"id": self._number, "op": op, **rest}))
        await self._writer.drain()
        answer = await wire.receive(self._reader)
        if answer is None or answer.get("id") != self._number:
            raise self._gone("it closed the connection")
        if not answer["ok"]:
            where = str(answer.get("where", self._path))
            fix = str(answer.get("fix", "use the same version on both sides"))
            raise LinkError(str(answer["error"]), where=where, fix=fix)
        return answer

    def _gone(self, why: str) -> LinkError:
        fix = "start `igoudar collect`, or wait until it is restarted"
        return LinkError(f"the collector does not answer ({why})", where=str(self._path), fix=fix)
