"""Messages that were seen: one is acted upon once, also after a restart."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from igoudar.control.dsx.refusal import RefusedError
from igoudar.core.durable import write_durably

MOST_DIGESTS = 50_000  # about 3 MB; years of targets
AHEAD = timedelta(seconds=60)  # how far another host's clock may be ahead of ours


class Seen:
    """Ids within the window in which a message may still be taken.

    Args:
        path: Where they are kept; a file that can't be read counts as "seen everything until now".
        window: How old a message may be.
        now: Wall time, UTC.
    """

    def __init__(self, path: Path, window: timedelta, now: datetime) -> None:
        self._path, self._window = path, window
        self._ids, self._digests, self._closed_until = _kept(path, now)

    def take(self, event_id: str, at: datetime, now: datetime, digest: str = "") -> None:
        """Note a message that is about to be acted upon; it is on disk before this returns.

        `digest` is of a signature that does not cover its envelope: an old one in a new envelope has a new id
        and a new time, so that only the signature itself tells.

        Raises:
            RefusedError: repeated, too_old, from_the_future.
        """
        if at > now + AHEAD:
            raise RefusedError("from_the_future", "it was sent later than now")
        if now - at > self._window:
            raise RefusedError("too_old", f"it was sent more than {self._window.total_seconds():.0f} s ago")
        if event_id in self._ids or at <= self._closed_until:
            raise RefusedError("repeated", "it was taken before")
        if digest and digest in self._digests:
            raise RefusedError("repeated", "this signature was used before; sign with the id as `jti`")
        fresh = now - self._window - AHEAD
        self._ids = {name: sent for name, sent in self._ids.items() if sent > fresh} | {event_id: at}
        if digest:
            self._digests = dict.fromkeys([*self._digests, digest][-MOST_DIGESTS:])
        self._keep()

    def forget(self, event_id: str, digest: str = "") -> None:
        """A message that was not acted upon after all: it may come again."""
        self._ids.pop(event_id, None)
        self._digests.pop(digest, None)
        self._keep()

    def _keep(self) -> None:
        write_durably(self._path, _document(self._ids, self._digests))


def _document(ids: dict[str, datetime], digests: Iterable[str]) -> bytes:
    kept = {"schema": 1, "ids": {name: at.isoformat() for name, at in ids.items()}, "digests": list(digests)}
    return json.dumps(kept).encode()


def _kept(path: Path, now: datetime) -> tuple[dict[str, datetime], dict[str, None], datetime]:
    try:
        document = json.loads(path.read_bytes())
        ids = {str(name): datetime.fromisoformat(at) for name, at in document["ids"].items()}
        return ids, dict.fromkeys(map(str, document["digests"])), _never(now)
    except FileNotFoundError:
        return {}, {}, _never(now)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}, {}, now


def _never(now: datetime) -> datetime:
    return datetime.min.replace(tzinfo=now.tzinfo)
