"""What InfluxDB's answers to a write mean."""

import re
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from math import isfinite

from igoudar.core.errors import StoreBusyError

_CONFLICT = re.compile(r'input field \\?"(.+?)\\?" on measurement \\?"(.+?)\\?" is type')
_RETENTION = re.compile(r"retention policy")
_DROPPED = re.compile(r"dropped[= ](\d+)")
_LONGEST_WAIT_S = 3600.0
_KEEP_OUT = {
    401: ("InfluxDB does not know this token", "write a valid one into {token}; it is read again at once"),
    403: ("the token may not write to bucket {bucket}", "give it the right to write there, in {token}"),
    404: ("there is no bucket {bucket}", "create it, or correct `bucket` and `org` in the site's [store]"),
}
TOO_LARGE = 413
_NEVER = frozenset({400, 405, 409, 411, TOO_LARGE, 415, 422})


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that sending the same lines again would not change."""

    status: int
    message: str

    @property
    def conflict(self) -> tuple[str, str] | None:
        """(measurement, field) whose type in the database is another one."""
        found = _CONFLICT.search(self.message)
        return (found[2], found[1]) if found else None

    def refuses_all(self, lines: int) -> bool:
        """Whether each of the lines sent is older than what the bucket keeps."""
        dropped = _DROPPED.search(self.message)
        old = _RETENTION.search(self.message)
        return bool(old and dropped and int(dropped[1]) >= lines)


def refusal(status: int, message: str) -> Refusal | None:
    """The refusal that a status means, None for one that may pass."""
    return Refusal(status, " ".join(message.split())[:500]) if status in _NEVER else None


def busy(
    status: int, message: str, retry_after: str, *, url: str, bucket: str, token_file: str
) -> StoreBusyError:
    """What to tell of an answer that may be another one later."""
    if status in _KEEP_OUT:
        what, fix = (part.format(bucket=repr(bucket), token=token_file) for part in _KEEP_OUT[status])
    else:
        what = f"InfluxDB answered {status} ({' '.join(message.split())[:200]})"
        fix = "readings wait until it takes them"
    return StoreBusyError(what, where=url, fix=fix, retry_after_s=wait_s(retry_after))


def wait_s(retry_after: str) -> float:
    """Seconds that a Retry-After header asks for, as a number or a date; at most an hour."""
    try:
        wait = float(retry_after)
    except ValueError:
        try:
            wait = parsedate_to_datetime(retry_after).timestamp() - time.time()
        except ValueError:
            return 0.0
    return min(max(wait, 0.0), _LONGEST_WAIT_S) if isfinite(wait) else 0.0
