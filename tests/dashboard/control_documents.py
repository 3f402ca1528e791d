"""What waits for people at the made-up campus, and what is asked of it."""

from datetime import timedelta

from igoudar.control.schema import ActionView, ModeView
from igoudar.control.schema_events import EventsView, EventView, IntervalsView, LeverView
from igoudar.control.schema_hands import HandsOffView, OutcomeView, OverrideView, ProposalView
from tests.dashboard.documents import HOSTILE, NOW, ZONE, said

CLASSES = ("jobs", "caps", "battery", "curtailment", "cooling", "loads")
HOUR = timedelta(hours=1)


def mode() -> ModeView:
    modes = dict.fromkeys(CLASSES, "advise") | {"jobs": "auto", "cooling": "observe"}
    return ModeView.model_validate(
        {"mode": "auto", "since": NOW - 2 * HOUR, "by": "h.tazi", "classes": modes}
    )


def hands_off() -> HandsOffView:
    return HandsOffView(on=False)


def proposals() -> list[ProposalView]:
    first = ProposalView(
        id="c-0812",
        at=NOW,
        expires_at=NOW + timedelta(minutes=15),
        actuator="battery",
        target="battery-3",
        point="discharge_rate_pct",
        before="0",
        after="62",
        unit="%",
        effect_w=-2.1e6,
        reason=said("The evening's import peak is ahead."),
        who="control",
        approvals_needed=2,
        approved_by=["h.tazi"],
        state="waiting",
    )
    hostile = {"id": "c-0813", "target": HOSTILE, "approvals_needed": 1, "approved_by": [], "effect_w": None}
    return [first, first.model_copy(update=hostile), first.model_copy(update={"id": "c-1", "state": "done"})]


def overrides() -> list[OverrideView]:
    return [
        OverrideView(
            target="cooling-plant",
            point="setpoint_c",
            value=19.5,
            unit="°C",
            at=NOW - HOUR,
            until=NOW + 3 * HOUR,
            who="s.amrani",
            reason="filters are being changed",
        )
    ]


def event() -> EventView:
    return EventView(
        id="event-7",
        kind="shed",
        source="operator",
        who="h.tazi",
        reason="line 2 is out",
        state="active",
        opened_at=NOW - HOUR,
        starts_at=NOW - HOUR,
        ends_at=NOW + HOUR,
        meter="facility",
        share=0.3,
        baseline_w=38.4e6,
        limit_w=26.9e6,
        held_w=26.9e6,
        load_w=26.4e6,
        reached_at=NOW - HOUR + timedelta(seconds=9),
        time_to_target_s=9.0,
        intervals=[IntervalsView(length_s=60, met=59, missed=0, unknown=0, worst_w=26.7e6)],
        levers=[
            LeverView(lever="jobs", power_w=11.2e6, count=38),
            LeverView(lever="caps", power_w=0.8e6, count=90),
        ],
        note=said("Kept since 9 s after it began."),
    )


def events() -> EventsView:
    return EventsView(
        time=NOW,
        zone=ZONE,
        acting=True,
        limit_w=26.9e6,
        import_limit_w=None,
        target_w=26.5e6,
        load_w=26.4e6,
        import_w=1.2e6,
        levers=event().levers,
        debt_gpu_s=4200 * 3600.0,
        debt_paid_gpu_s=0.0,
        ramp_w_per_min=2e6,
        events=[event(), event().model_copy(update={"id": "event-6", "state": "done", "kind": "import_cap"})],
    )


def actions() -> list[ActionView]:
    return [
        ActionView(
            at=NOW - timedelta(minutes=n),
            who="control",
            verb="suspend",
            target=f"ai-{n:04}",
            before="running",
            after="suspended",
            reason=said("Paused for the shed."),
            result="done",
            config_version="1",
            number=n,
        )
        for n in range(40)
    ]


def outcome() -> OutcomeView:
    return OutcomeView(command_id="c-0812", target="battery-3", point="discharge_rate_pct", result="done")


DOCUMENTS = {
    "mode": mode,
    "handsoff": hands_off,
    "proposals": proposals,
    "overrides": overrides,
    "events": events,
    "actions": actions,
}
