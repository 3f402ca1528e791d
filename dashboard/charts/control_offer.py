"""What a person confirms on the Control page: the consequence, read from the newest documents."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from igoudar.control.schema import ModeView
from igoudar.control.schema_events import EventsView
from igoudar.control.schema_hands import OverrideView, ProposalView
from igoudar.dashboard.charts.offer import Offer
from igoudar.dashboard.charts.proposals import approvals, change
from igoudar.dashboard.words import Words

VERBS = frozenset({"mode", "hands_off", "hands_on", "say_yes", "say_no", "let_go", "end_event"})


@dataclass(frozen=True, slots=True)
class Now:
    """The newest documents; None where the API did not answer."""

    mode: ModeView | None
    proposals: Sequence[ProposalView] | None
    overrides: Sequence[OverrideView] | None
    events: EventsView | None


def control_offer(verb: str, target: str, now: Now, words: Words) -> Offer:
    """The one thing that would be done, or that it is gone."""
    facts = _facts(verb, target, now, words)
    if facts is None:
        return Offer((), "", f"<p>{words.html('gone')}</p>")
    lines = "".join(f"<p>{escape(line)}</p>" for line in (*facts, words(f"{verb}_effect")))
    # What was read is its version: whatever changes it must be read again.
    return Offer((target,), "\n".join(facts), lines)


def _facts(verb: str, target: str, now: Now, words: Words) -> Sequence[str] | None:
    match verb:
        case "mode":
            return _mode(target, now.mode, words)
        case "hands_off" | "hands_on":
            return ()
        case "say_yes" | "say_no":
            return _proposal(target, now.proposals, words)
        case "let_go":
            return _held(target, now.overrides, words)
        case _:
            return _event(target, now.events, words)


def _mode(target: str, mode: ModeView | None, words: Words) -> Sequence[str] | None:
    name, _, word = target.partition(" ")
    old = None if mode is None else mode.mode if name == "site" else mode.classes.get(name)
    if old is None or old == word:
        return None
    return (f"{words.known('actuator', name)}: {words.known('mode', old)} → {words.known('mode', word)}",)


def _proposal(target: str, proposals: Sequence[ProposalView] | None, words: Words) -> Sequence[str] | None:
    one = next((p for p in proposals or () if p.id == target and p.state == "waiting"), None)
    if one is None:
        return None
    expires = words.clock(one.expires_at, "%d/%m %H:%M")
    effect = words("offer_effect", effect=words.quantity(one.effect_w, "w"), expires=expires)
    return (f"{one.target} {one.point}: {change(one, words)}", effect, approvals(one, words))


def _held(target: str, overrides: Sequence[OverrideView] | None, words: Words) -> Sequence[str] | None:
    one = next((o for o in overrides or () if f"{o.target} {o.point}" == target), None)
    return None if one is None else (f"{target}: {words.unit(one.value, one.unit)} · {one.who}",)


def _event(target: str, events: EventsView | None, words: Words) -> Sequence[str] | None:
    found = events.events if events else []
    one = next((e for e in found if e.id == target and e.state in ("announced", "active")), None)
    if one is None:
        return None
    return (f"{words(f'event_{one.kind}')} · {words.quantity(one.limit_w, 'w')} · {one.who}",)
