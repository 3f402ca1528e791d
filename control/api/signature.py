"""Calls that are signed with a shared secret: HMAC over time and body, once, within a window. Pure.

Scheme: `X-Igoudar-Timestamp` is the POSIX time [s]; `X-Igoudar-Signature` is "v1=" and the hex HMAC-SHA256 of
"TIMESTAMP.BODY". Source: RFC 2104; the form is that of the common webhook signatures.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from igoudar.core.errors import CommandError
from igoudar.core.said import said

TIMESTAMP, SIGNATURE = "x-igoudar-timestamp", "x-igoudar-signature"
FORM = re.compile(r"v1=([0-9a-f]{64})")
SHORTEST_SECRET = 32  # bytes


class SignatureError(CommandError):
    """A call whose signature is missing, wrong, too old or repeated."""


def signed(secret: bytes, timestamp_s: int, body: bytes) -> str:
    """The value of the signature's header."""
    mac = hmac.new(secret, f"{timestamp_s}.".encode() + body, hashlib.sha256)
    return f"v1={mac.hexdigest()}"


@dataclass(slots=True)
class Notary:
    """Checks calls of one secret, and remembers those within the window.

    What was taken before a restart is refused after it as well: nothing signed before `since_s` is taken.
    """

    secret: bytes
    window_s: float
    since_s: float
    _taken: dict[str, float] = field(default_factory=dict)  # signature -> when it may be forgotten

    def check(self, headers: Mapping[str, str], body: bytes, now_s: float) -> None:
        """Take a call, once.

        Raises:
            SignatureError: naming what is wrong.
        """
        given = FORM.fullmatch(headers.get(SIGNATURE, ""))
        text = headers.get(TIMESTAMP, "")
        if given is None or not text.isascii() or not text.isdigit() or len(text) > len(str(2**40)):
            raise said(SignatureError, "refusal.unsigned", where=SIGNATURE)
        expected = signed(self.secret, int(text), body)
        if not hmac.compare_digest(expected, given.group()):
            raise said(SignatureError, "refusal.signature", where=SIGNATURE)
        if not self.since_s <= int(text) or abs(now_s - int(text)) > self.window_s:
            raise said(SignatureError, "refusal.signed_when", where=TIMESTAMP, window_s=round(self.window_s))
        self._once(expected, now_s)

    def _once(self, signature: str, now_s: float) -> None:
        self._taken = {name: until_s for name, until_s in self._taken.items() if until_s >= now_s}
        if signature in self._taken:
            raise said(SignatureError, "refusal.signed_before", where=SIGNATURE)
        self._taken[signature] = now_s + 2 * self.window_s
