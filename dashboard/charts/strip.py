"""The alarm strip on every page: counts per priority, the three worst, the clock and the data's origin."""

from datetime import datetime
from html import escape

from igoudar.control.schema import Alarms, AlarmView, Status
from igoudar.dashboard.charts.marks import priority_class, priority_mark
from igoudar.dashboard.words import NONE, Words

WORST = 3
PRIORITIES = (1, 2, 3)


def strip_parts(alarms: Alarms | None, status: Status | None, words: Words) -> list[tuple[str, str]]:
    """(name, markup) of the strip's boxes."""
    worst = list(_worst(alarms))
    boxes = [(f"alarm{i}", _alarm(worst[i], words) if i < len(worst) else "") for i in range(WORST)]
    if alarms is not None and not worst:
        boxes[0] = ("alarm0", f'<div class="ig-chip calm">{words.html("no_alarms")}</div>')
    return [("counts", _counts(alarms, words)), *boxes, ("clock", _clock(status, words))]


def spoken_alarms(alarms: Alarms | None, words: Words) -> str:
    """One sentence for the live region; it changes only when the alarms do."""
    if alarms is None:
        return words("not_connected")
    worst = next(_worst(alarms), None)
    text = "" if worst is None else f" {worst.source}: {words.text(worst.text)}."
    return words("alarms_spoken", count=sum(alarms.counts.values())) + text


def problem_banner(problem: str, url: str, reached_at: datetime | None, words: Words) -> str:
    """Says that nothing on the page is live, since when, and what to do."""
    since = NONE if reached_at is None else reached_at.strftime("%H:%M:%S UTC")
    return (
        f'<div class="ig-banner" role="alert"><b>{words.html("not_connected")}</b> '
        f"<span>{words.html('not_connected_what', url=url, since=since)}</span>"
        f"<small>{escape(problem)}</small></div>"
    )


def _worst(alarms: Alarms | None) -> "filter[AlarmView]":
    return filter(lambda alarm: alarm.state != "normal", (alarms.alarms if alarms else [])[: WORST + 1])


def _counts(alarms: Alarms | None, words: Words) -> str:
    counts = {} if alarms is None else alarms.counts
    items = "".join(
        f'<span class="{"blink" if p == 1 and counts.get(p) else ""}">'
        f"{priority_mark(p, words, active=bool(counts.get(p)))}</span>"
        f"<b>{NONE if alarms is None else counts.get(p, 0)}</b>"
        for p in PRIORITIES
    )
    return f'<div class="ig-chip counts">{items}<em>{words.html("unacknowledged")}</em></div>'


def _alarm(alarm: AlarmView, words: Words) -> str:
    text = words.text(alarm.text)
    hint = escape(f"{alarm.source} {text}")
    return (
        f'<div class="ig-chip alarm{priority_class(alarm.priority)}" title="{hint}">'
        f"{priority_mark(alarm.priority, words)}<b>{escape(alarm.source)}</b><span>{escape(text)}</span>"
        f"<time>{words.clock(alarm.raised_at)}</time></div>"
    )


def _clock(status: Status | None, words: Words) -> str:
    other = "en" if words.lang == "fr" else "fr"
    switch = f'<a href="?lang={other}" target="_self" lang="{other}" hreflang="{other}">{other.upper()}</a>'
    if status is None:
        return f'<div class="ig-chip clock"><b>--:--:--</b>{switch}</div>'
    origin = words.html("simulated" if status.simulated else "live")
    speed = f" ×{status.speed:g}" if status.speed != 1 else ""
    mode = escape(words.known("mode", status.mode))
    return (
        f'<div class="ig-chip clock" title="{escape(status.title)} · {escape(status.zone)}">'
        f"<b>{words.clock(status.time, '%H:%M:%S')}</b><em class='zone'>{escape(status.zone)}</em>"
        f"<em>{origin}{speed}</em><em>{mode}</em>{switch}</div>"
    )
