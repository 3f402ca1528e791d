"""What a Redfish service says when it refuses: `@Message.ExtendedInfo` in one line; pure.

Source: DMTF DSP0266, error responses; message ids of the Base registry (DSP8011).
"""

from typing import Any

from igoudar.collectors.redfish_json import parsed

LONGEST = 200  # characters of what a device says of itself


def refusal(status: int, body: bytes) -> str:
    """One line for people: the message ids and texts, or the status where the body tells nothing."""
    told = "; ".join(_messages(body))
    return f"HTTP {status}: {told}" if told else f"HTTP {status}"


def _messages(body: bytes) -> list[str]:
    try:
        document = parsed(body)
    except ValueError:
        return []
    error = document.get("error")
    holder = error if isinstance(error, dict) else document
    listed = holder.get("@Message.ExtendedInfo")
    messages = [_message(one) for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return [text for text in messages if text] or [text for text in (_message(holder),) if text]


def _message(one: dict[str, Any]) -> str:
    """`PropertyValueOutOfRange (the value 1 ...)`: the id without its registry and version."""
    name = str(one.get("MessageId") or one.get("code") or "").rpartition(".")[2]
    text = str(one.get("Message") or one.get("message") or "")
    return _plain(f"{name} ({text})" if name and text else name or text)


def _plain(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)[:LONGEST]
