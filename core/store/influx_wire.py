"""Lines to InfluxDB: the client library's async write API, on an event loop in a thread of its own."""

import asyncio
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from igoudar.core.errors import StoreBusyError
from igoudar.core.store.influx_answers import Refusal, busy, refusal
from igoudar.core.store.influx_place import InfluxPlace

if TYPE_CHECKING:
    from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync

TIMEOUT_S = 30.0
_IN_FLIGHT = 2  # the next body is on its way while the server works on the last
_UNAUTHORISED = 401


class InfluxWire:
    """Sends bodies of line protocol; safe to call from any thread but its own.

    Args:
        place: Where to.
        timeout_s: Of one request, all in all.
    """

    def __init__(self, place: InfluxPlace, timeout_s: float = TIMEOUT_S) -> None:
        self._place, self._timeout_s = place, timeout_s
        self._client: InfluxDBClientAsync | None = None
        self._silent_until = 0.0  # monotonic: the server asked to be left alone
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="influx", daemon=True)
        self._thread.start()

    def post(self, bodies: Sequence[bytes]) -> list[Refusal | None]:
        """Send bodies, a few at a time; for each one a refusal, or None when all of it is kept.

        Raises:
            StoreBusyError: at least one may be taken later; which of the others are kept is not known.
            ConfigError: the token's file can't be used.
        """
        if self._silent_until > time.monotonic():
            raise self._asked_to_wait()
        return asyncio.run_coroutine_threadsafe(self._post_all(bodies), self._loop).result()

    async def _post_all(self, bodies: Sequence[bytes]) -> list[Refusal | None]:
        client = await self._connected()
        slots = asyncio.Semaphore(_IN_FLIGHT)
        answers = await asyncio.gather(
            *(self._post(client, body, slots) for body in bodies), return_exceptions=True
        )
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        return [answer for answer in answers if not isinstance(answer, BaseException)]

    async def _connected(self) -> "InfluxDBClientAsync":
        if self._client is None:
            from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync

            self._client = InfluxDBClientAsync(
                self._place.url,
                self._place.token(),
                self._place.org,
                timeout=round(self._timeout_s * 1000),
                allow_redirects=False,  # a token goes to the server that was named, nowhere else
            )
        return self._client

    async def _post(
        self, client: "InfluxDBClientAsync", body: bytes, slots: asyncio.Semaphore
    ) -> Refusal | None:
        from aiohttp import ClientError
        from influxdb_client.domain.write_precision import WritePrecision
        from influxdb_client.rest import ApiException

        place = self._place
        precision: WritePrecision = getattr(WritePrecision, place.precision.upper())
        async with slots:
            if self._silent_until > time.monotonic():  # a body before this one was told to wait
                raise self._asked_to_wait()
            try:
                await client.write_api().write(place.bucket, place.org, body, precision)
            except ApiException as error:
                headers: Mapping[str, str] = error.headers or {}
                retry_after = headers.get("Retry-After", "")
                return await self._answer(error.status, _text(error.body), retry_after)
            except (ClientError, TimeoutError, OSError) as error:
                raise self._away(error) from error
        return None

    async def _answer(self, status: int, message: str, retry_after: str) -> Refusal | None:
        if refused := refusal(status, message):
            return refused
        if status == _UNAUTHORISED:
            await self._disconnect()
        place = self._place
        error = busy(
            status, message, retry_after, url=place.url, bucket=place.bucket, token_file=str(place.token_file)
        )
        self._silent_until = max(self._silent_until, time.monotonic() + error.retry_after_s)
        raise error

    def _asked_to_wait(self) -> StoreBusyError:
        left_s = max(0.0, self._silent_until - time.monotonic())
        what = f"InfluxDB asked for a pause of {left_s:.0f} s more"
        return StoreBusyError(what, where=self._place.url, fix="readings wait", retry_after_s=left_s)

    def _away(self, error: Exception) -> StoreBusyError:
        what = f"InfluxDB does not answer ({str(error) or type(error).__name__})"
        return StoreBusyError(what, where=self._place.url, fix="readings wait for it")

    async def _disconnect(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """End the connections and the thread."""
        if self._loop.is_closed():
            return
        with suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(self._disconnect(), self._loop).result(self._timeout_s)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def _text(body: bytes | str | None) -> str:
    return body.decode(errors="replace") if isinstance(body, bytes) else body or ""
