"""Requests to InfluxDB other than writes: InfluxQL over `/query`, and whatever setting up needs."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from igoudar.core.errors import StoreBusyError, StoreError
from igoudar.core.store.influx_answers import busy
from igoudar.core.store.influx_place import InfluxPlace

Answer = Mapping[str, Any]
_ROWS_A_CHUNK = "10000"
_UNAUTHORISED, _BAD = 401, 400


class InfluxHttp:
    """One connection pool; the token is read again when the server no longer knows it."""

    def __init__(self, place: InfluxPlace, timeout_s: float) -> None:
        self._place, self._token = place, ""
        # No proxy from the environment: a token goes to the server that was named, nowhere else.
        self._client = httpx.Client(base_url=place.url, timeout=timeout_s, trust_env=False)

    def request(self, method: str, path: str, **parts: Any) -> httpx.Response:
        """One request, whatever its answer.

        Raises:
            StoreBusyError: no answer came.
            ConfigError: the token's file can't be used.
        """
        self._token = self._token or self._place.token()
        headers = {"Authorization": f"Token {self._token}"}
        try:
            answer = self._client.request(method, path, headers=headers, **parts)
        except httpx.HTTPError as error:
            why = str(error) or type(error).__name__
            what = f"InfluxDB does not answer ({why})"
            raise StoreBusyError(what, where=self._place.url, fix="start it, or correct `url`") from error
        if answer.status_code == _UNAUTHORISED:
            self._token = ""
        return answer

    def series(self, query: str) -> Iterator[Answer]:
        """The series that an InfluxQL query finds: `name`, `tags`, `columns`, `values`; times in us.

        Raises:
            StoreBusyError: no answer, or none that says more than try again.
            StoreError: the query was refused.
        """
        form = {
            "db": self._place.bucket,
            "epoch": "u",
            "q": query,
            "chunked": "true",
            "chunk_size": _ROWS_A_CHUNK,  # a server may cut unchunked answers short
        }
        answer = self.request("POST", "/query", data=form)
        if answer.status_code >= _BAD:
            raise self.problem(answer)
        for line in answer.text.splitlines():
            document = json.loads(line)
            for result in (document, *document.get("results", ())):
                if error := result.get("error"):
                    raise StoreError(f"InfluxDB refused a query ({error})", where=self._place.url)
                yield from result.get("series", ())

    def problem(self, answer: httpx.Response) -> StoreError:
        """What an answer that is no success means."""
        place = self._place
        return busy(
            answer.status_code,
            answer.text,
            answer.headers.get("Retry-After", ""),
            url=place.url,
            bucket=place.bucket,
            token_file=str(place.token_file),
        )

    def close(self) -> None:
        """End the connections."""
        self._client.close()
