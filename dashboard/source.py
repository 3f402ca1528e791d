"""The one way to data: documents of the control API, shared by all open screens, never shown when old."""

import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Generic, TypeVar

from igoudar.control.client import ApiClient
from igoudar.control.client_hands import HandsApi
from igoudar.control.schema import (
    ActionView,
    Alarms,
    Devices,
    Halls,
    Jobs,
    ModeView,
    Overview,
    PlanView,
    RackDetail,
    Status,
)
from igoudar.control.schema_events import EventsView
from igoudar.control.schema_hands import HandsOffView, OverrideView, ProposalView
from igoudar.core.errors import ConfigError, IgoudarError

FRESH_S = 1.0  # screens that ask within this share one answer

D = TypeVar("D")  # a document, or a list of documents


@dataclass(frozen=True, slots=True)
class Answer(Generic[D]):
    """A document, or why there is none."""

    document: D | None
    problem: str = ""


@dataclass(slots=True)
class Source:
    """Asks the API and remembers an answer for FRESH_S; a failed call answers with no document at all."""

    url: str
    token_file: Path
    reached_at: datetime | None = None
    _client: ApiClient | None = None
    _answers: dict[str, tuple[float, Answer[Any]]] = field(default_factory=dict)
    _locks: defaultdict[str, threading.Lock] = field(default_factory=lambda: defaultdict(threading.Lock))

    def status(self) -> Answer[Status]:
        """One glance."""
        return self._ask("status", lambda client: client.status())

    def overview(self) -> Answer[Overview]:
        """The first page."""
        return self._ask("overview", lambda client: client.overview())

    def halls(self) -> Answer[Halls]:
        """The floor plan."""
        return self._ask("halls", lambda client: client.halls())

    def rack(self, name: str) -> Answer[RackDetail]:
        """One rack."""
        return self._ask(f"rack {name}", lambda client: client.rack(name))

    def alarms(self) -> Answer[Alarms]:
        """Active alarms."""
        return self._ask("alarms", lambda client: client.alarms())

    def jobs(self) -> Answer[Jobs]:
        """Jobs waiting and running."""
        return self._ask("jobs", lambda client: client.jobs())

    def plan(self) -> Answer[PlanView]:
        """The plan in force."""
        return self._ask("plan", lambda client: client.plan())

    def mode(self) -> Answer[ModeView]:
        """The modes of the site and its classes."""
        return self._ask("mode", lambda client: client.mode())

    def hands_off(self) -> Answer[HandsOffView]:
        """Whether nothing may be sent."""
        return self._ask("hands_off", lambda client: HandsApi(client).hands_off())

    def proposals(self) -> Answer[list[ProposalView]]:
        """What waits for people."""
        return self._ask("proposals", lambda client: HandsApi(client).proposals())

    def overrides(self) -> Answer[list[OverrideView]]:
        """What people hold."""
        return self._ask("overrides", lambda client: HandsApi(client).overrides())

    def events(self) -> Answer[EventsView]:
        """Emergency and demand response."""
        return self._ask("events", lambda client: client.events())

    def actions(self) -> Answer[list[ActionView]]:
        """The newest lines of the audit."""
        return self._ask("actions", lambda client: client.actions())

    def devices(self) -> Answer[Devices]:
        """Device health."""
        return self._ask("devices", lambda client: client.devices())

    def _ask(self, key: str, call: Callable[[ApiClient], D]) -> Answer[D]:
        with self._locks[key]:  # one question at a time, and a slow one delays only itself
            asked_at, known = self._answers.get(key, (float("-inf"), Answer(None)))
            if time.monotonic() - asked_at < FRESH_S:
                return known
            answer = self._call(call)
            self._forget_old()
            self._answers[key] = (time.monotonic(), answer)
            return answer

    def _call(self, call: Callable[[ApiClient], D]) -> Answer[D]:
        try:
            if self._client is None:
                self._client = ApiClient(self.url, read_token(self.token_file))
            document = call(self._client)
        except (IgoudarError, ValueError) as error:  # ValueError: a document of another version
            self._drop_client()
            return Answer(None, str(error))
        self.reached_at = datetime.now(UTC)
        return Answer(document)

    def _drop_client(self) -> None:
        # A restarted control may have written a new token: the next call reads it again.
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _forget_old(self) -> None:
        limit = time.monotonic() - FRESH_S
        for key in [key for key, (asked_at, _) in list(self._answers.items()) if asked_at < limit]:
            self._answers.pop(key, None)


def read_token(path: Path) -> str:
    """The viewer token.

    Raises:
        ConfigError: the file can't be read.
    """
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"no viewer token ({error.strerror})", where=str(path)) from error


def api_url() -> str:
    """Address of the control API, as the launcher set it."""
    return os.environ.get("IGOUDAR_API_URL", "http://127.0.0.1:8460")


@cache
def source() -> Source:
    """The source of this process."""
    return Source(api_url(), Path(os.environ.get("IGOUDAR_VIEWER_TOKEN_FILE", "viewer.token")))
