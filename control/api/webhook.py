"""The route of a grid operator without MQTT: a signed request for less power."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Request
from pydantic import AwareDatetime, BeforeValidator, Field, ValidationError

from igoudar.control.api.bodies import Body
from igoudar.control.api.malformed import malformed
from igoudar.control.api.signature import SHORTEST_SECRET, Notary, SignatureError
from igoudar.control.demand_response.document import event_view
from igoudar.control.demand_response.events import Events
from igoudar.control.demand_response.request import EventKind, EventRequest
from igoudar.control.errors import UnknownNameError
from igoudar.control.operator import Note
from igoudar.control.rate import Rate
from igoudar.control.schema_events import EventView
from igoudar.core.clock import Clock, site_time
from igoudar.core.errors import CommandError, ConfigError
from igoudar.core.model_dsx import Webhook
from igoudar.core.said import said
from igoudar.core.units import parse_power_w

PATH = "/v1/webhooks/demand-response"
SOURCE = "webhook"
NOTED_PER_S, NOTED_AT_ONCE = 0.1, 50  # calls with a wrong signature in the audit


def _power(value: object) -> object:
    """As people write it; a power without a unit is refused."""
    try:
        return None if value is None else parse_power_w(value)
    except ConfigError as error:
        raise ValueError(f"{error.what}: {error.fix}") from error


class EventBody(Body):
    """A shed by share, or a cap by power; times are wall times."""

    kind: EventKind
    share: float | None = Field(default=None, gt=0, le=1)
    limit: Annotated[float | None, BeforeValidator(_power)] = Field(default=None, ge=0, le=1e12)
    start: AwareDatetime | None = None
    end: AwareDatetime | None = None
    reason: str = Field(min_length=1, max_length=500)


@dataclass(frozen=True, slots=True)
class Hook:
    """A caller that signs: who it is, who checks it, and how its wall times become site times."""

    who: str
    notary: Notary
    site_time: Callable[[datetime], datetime]


def open_hook(webhook: Webhook, clock: Clock) -> Hook | None:
    """The site's hook, None where it names no secret; what was signed before now is not taken.

    Raises:
        ConfigError: the secret can't be read, or is too short to be one.
    """
    where = webhook.secret_file
    if not where:
        return None
    try:
        secret = Path(where).expanduser().read_bytes().strip()
    except OSError as error:
        raise ConfigError(f"can't be read ({error.strerror})", where=where, fix="check its path") from error
    if len(secret) < SHORTEST_SECRET:
        fix = "make one: head -c 32 /dev/urandom | base64"
        raise ConfigError(f"a secret has at least {SHORTEST_SECRET} bytes", where=where, fix=fix)
    notary = Notary(secret, webhook.oldest_s, math.ceil(time.time()))
    return Hook(webhook.who, notary, lambda wall: site_time(clock, wall, datetime.now(UTC)))


def add_webhook(app: FastAPI, room: Events, hook: Hook | None, note: Note) -> None:
    """The route; a call that is refused is audited as well."""
    noted = Rate(NOTED_PER_S, NOTED_AT_ONCE)

    @app.post(PATH)
    async def demand_response(request: Request) -> EventView:
        if hook is None:
            raise said(UnknownNameError, "refusal.no_webhook", where=PATH)
        raw = await request.body()
        try:
            hook.notary.check(request.headers, raw, time.time())
            event = room.open(_asked(raw, hook))
        except SignatureError as error:
            # Anybody may call: they must not be able to fill the audit, nor stand in it with the grid's name.
            if not noted.wait_s(SOURCE):
                note(SOURCE, "webhook", "site", "", f"refused: {error.what}", "", room.now())
            raise
        except CommandError as error:
            note(hook.who, "webhook", "site", "", f"refused: {error.what}", "", room.now())
            raise
        after = f"{event.limit_w:.0f} W"
        note(hook.who, event.kind.value, event.event_id, "", after, event.reason, room.now())
        return event_view(room, event)


def _asked(raw: bytes, hook: Hook) -> EventRequest:
    try:
        body = EventBody.model_validate_json(raw)
    except ValidationError as error:
        raise malformed(error.errors()) from error
    start, end = (None if at is None else hook.site_time(at) for at in (body.start, body.end))
    who, slot = hook.who, body.kind.value
    return EventRequest(body.kind, SOURCE, who, body.reason, body.share, body.limit, start, end, slot=slot)
