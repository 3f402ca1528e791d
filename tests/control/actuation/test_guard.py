"""The guard: whatever is asked, what it lets through is inside every limit."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igoudar.collectors.profiles import load_profiles
from igoudar.collectors.results import OutOfBounds, Rejected
from igoudar.control.actuation.command import ActuatorClass, Command, Origin
from igoudar.control.actuation.guard.judge import judge
from igoudar.control.actuation.guard.rules import rules
from igoudar.control.actuation.guard.verdict import Allowed, Verdict
from igoudar.control.actuation.guard.view import ORDER, Fault, Held, View, outranks, slot
from igoudar.control.actuation.schedulers import QueuedJob
from igoudar.control.picture import Picture
from igoudar.control.roster import roster
from igoudar.core.i18n import codes
from igoudar.core.model import JobState, Quality, Reading, Reason
from igoudar.core.model_guard import Guarding, PointLimit
from igoudar.core.site import load_site

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PROFILES = load_profiles()
LAB = roster(load_site("jazari-lab", PROFILES), PROFILES, 1.0)
RULES = rules(LAB)
AUTO = dict.fromkeys((actuator.value for actuator in ActuatorClass), "auto")
GOOD = {
    "battery-1": {"soc_pct": 50.0, "discharge_rate_pct": 100.0, "charge_rate_pct": 100.0},
    "cooling-plant": {"setpoint_c": 26.0, "flow_lpm": 900.0},
    "cdu-a1-1": {"setpoint_c": 30.0, "flow_lpm": 400.0},
    "inverter-1": {"limit_pct": 100.0},
    "desalination-1": {"limit_w": 20e3},
    **{name: {"inlet_c": 22.0} for name in RULES.inlets},
}
HOUR, MINUTE, RATE = timedelta(hours=1), timedelta(minutes=1), ("battery-1", "discharge_rate_pct")
HUGE = st.floats(allow_nan=True, allow_infinity=True)


def seen(values: Mapping[str, Mapping[str, float]] = GOOD, age_s: float = 1.0) -> Picture:
    at = NOW - timedelta(seconds=age_s)
    readings = {name: Reading(at, name, dict(points)) for name, points in values.items()}
    return Picture(NOW, readings, dict.fromkeys(values, at))


def look(**changed: Any) -> View:
    view = View(
        now=NOW,
        picture=seen(),
        lease=True,
        hands_off=False,
        modes=AUTO,
        started_at=NOW - timedelta(hours=1),
        jobs={"job": job()},
    )
    return replace(view, **changed)


def job(state: JobState = JobState.WAITING, *, flexible: bool = True) -> QueuedJob:
    return QueuedJob("job", "j", "ada", 8, state, flexible, NOW, 3600.0)


RUNS = {"job": job(JobState.RUNNING)}
WITHOUT_ONE = {name: points for name, points in GOOD.items() if name != RULES.inlets[3]}


def ask(point: str = "discharge_rate_pct", value: float | None = 40.0, **changed: Any) -> Command:
    command = Command(
        command_id="c1",
        actuator=ActuatorClass.BATTERY,
        target="battery-1",
        point=point,
        issued_at=NOW,
        expires_at=NOW + timedelta(minutes=5),
        origin=Origin.PLAN,
        who="control",
        code="plant.battery_keep",
        value=value,
    )
    return replace(command, **changed)


def of_job(verb: str, **changed: Any) -> Command:
    return replace(
        ask(verb, None), actuator=ActuatorClass.JOBS, target="job", until=NOW + timedelta(hours=1), **changed
    )


def cool(value: float, **changed: Any) -> Command:
    return ask("setpoint_c", value, actuator=ActuatorClass.COOLING, target="cooling-plant", **changed)


def reason(verdict: Verdict) -> str:
    return verdict.reason if isinstance(verdict, Rejected) else type(verdict).__name__


@given(
    value=HUGE,
    point=st.sampled_from(sorted(name for _, name in RULES.points)),
    target=st.sampled_from(sorted(RULES.devices)),
    origin=st.sampled_from(Origin),
    actuator=st.sampled_from(ActuatorClass),
    soc=st.floats(0, 100),
)
def test_nothing_passes_that_profile_and_site_do_not_both_allow_or_that_lies_outside(
    value: float, point: str, target: str, origin: Origin, actuator: ActuatorClass, soc: float
) -> None:
    picture = seen({**GOOD, "battery-1": {**GOOD["battery-1"], "soc_pct": soc}})
    command = ask(point, value, target=target, origin=origin, actuator=actuator, approved_by=("a",))
    if actuator is ActuatorClass.JOBS or not isinstance(
        judge(command, RULES, look(picture=picture)), Allowed
    ):
        return
    rule = RULES.points[target, point]
    assert rule.writable
    assert rule.allowed
    assert point in LAB.devices[target].allow
    assert rule.minimum <= value <= rule.maximum


@given(origin=st.sampled_from(Origin), value=st.floats(-100, 100), actuator=st.sampled_from(ActuatorClass))
def test_nothing_at_all_passes_hands_off_nor_without_the_lease(
    origin: Origin, value: float, actuator: ActuatorClass
) -> None:
    command = ask(value=value, origin=origin, actuator=actuator)
    assert judge(command, RULES, look(hands_off=True)) == Rejected("hands_off")
    assert judge(command, RULES, look(lease=False)) == Rejected("no_lease")


@given(first=st.sampled_from(Origin), second=st.sampled_from(Origin), value=st.floats(-100, 100))
def test_a_lower_rank_never_replaces_a_higher_one(first: Origin, second: Origin, value: float) -> None:
    standing = Held(0.0, "discharge_rate_pct", first, NOW - 4 * MINUTE, NOW + MINUTE)
    verdict = judge(ask(value=value, origin=second), RULES, look(held={RATE: standing}))
    if outranks(first, second):
        assert reason(verdict) == "outranked"
    else:
        assert reason(verdict) != "outranked"


@given(
    soc=st.floats(0, 100),
    point=st.sampled_from(["discharge_rate_pct", "charge_rate_pct"]),
    value=st.floats(-100, -1),
)
def test_charge_limits_beat_every_wish_but_safety(soc: float, point: str, value: float) -> None:
    picture = seen({**GOOD, "battery-1": {**GOOD["battery-1"], "soc_pct": soc}})
    verdict = judge(ask(point, value, origin=Origin.EVENT), RULES, look(picture=picture))
    forced_out = point == "charge_rate_pct"
    if forced_out and soc <= RULES.soc_min_pct + 1:
        assert reason(verdict) == "soc_low"
    elif not forced_out and soc >= RULES.soc_max_pct - 1:
        assert reason(verdict) == "soc_high"
    else:
        assert isinstance(verdict, Allowed)


@given(worst=st.floats(15, 40), rest=st.floats(15, 30), value=st.floats(18, 45))
def test_the_worst_inlet_bounds_warmer_water_never_the_mean(worst: float, rest: float, value: float) -> None:
    inlets = {name: {"inlet_c": rest} for name in RULES.inlets} | {RULES.inlets[0]: {"inlet_c": worst}}
    verdict = judge(cool(value), RULES, look(picture=seen({**GOOD, **inlets})))
    if isinstance(verdict, Allowed) and value > 26.0:
        assert max(worst, rest) + value - 26.0 <= 27.0
    if isinstance(verdict, Allowed) and value < 26.0:
        assert min(worst, rest) + value - 26.0 >= 18.0


@given(past=st.lists(st.floats(18, 45), max_size=4), value=st.floats(18, 45))
def test_within_an_hour_water_moves_no_further_than_air_may(past: list[float], value: float) -> None:
    closer = replace(RULES, guarding=Guarding(ramp_c_per_h=5.0))
    view = look(past={("cooling-plant", "setpoint_c"): tuple(past)})
    if isinstance(judge(cool(value), closer, view), Allowed):
        assert all(abs(value - before) <= 5.0 for before in (*past, 26.0))


@given(
    mode=st.sampled_from(["observe", "advise", "auto"]),
    origin=st.sampled_from(Origin),
    approved=st.sets(st.sampled_from(["ada", "bob", "eve"])),
    two=st.booleans(),
)
def test_who_must_approve(mode: str, origin: Origin, approved: set[str], two: bool) -> None:
    strict = replace(
        RULES, guarding=replace(RULES.guarding, two_person=frozenset({"battery"} if two else ()))
    )
    verdict = judge(
        ask(origin=origin, approved_by=tuple(approved)), strict, look(modes={**AUTO, "battery": mode})
    )
    if origin is Origin.SAFETY:
        assert verdict == Allowed(0)
    elif mode == "observe":
        assert verdict == Rejected("observe")
    elif mode == "advise" or origin in (Origin.OVERRIDE, Origin.OPERATOR):
        assert verdict == Allowed(max(0, (2 if two else 1) - len(approved)))
    else:
        assert verdict == Allowed(0)


@pytest.mark.parametrize(
    ("command", "view", "expected"),
    [
        (ask(expires_at=NOW), look(), "expired"),
        (ask(issued_at=NOW + timedelta(hours=1), expires_at=NOW + timedelta(hours=2)), look(), "clock_jump"),
        (ask(target="battery-9"), look(), "unknown_device"),
        (ask("discharge_rate_w"), look(), "unknown_point"),
        (ask("soc_pct"), look(), "read_only"),
        (ask("reserve_pct"), look(), "not_allowed"),
        (ask("storage_mode_state", 3.0), look(), "companion"),
        (ask(actuator=ActuatorClass.LOADS), look(), "wrong_class"),
        (ask(value=None), look(), "not_a_number"),
        (ask(value=float("nan")), look(), "not_a_number"),
        (ask(value=101.0), look(), "OutOfBounds"),
        (ask(), look(overrides={RATE: NOW + HOUR}), "overridden"),
        (ask(), look(started_at=NOW), "settling"),
        (ask(), look(picture=seen(age_s=600.0)), "stale_input"),
        (ask(value=-50.0), look(picture=seen({"battery-1": {"discharge_rate_pct": 100.0}})), "stale_input"),
        (cool(27.0), look(picture=seen(WITHOUT_ONE)), "stale_input"),
        (cool(45.0), look(picture=seen()), "inlet_high"),
        (cool(21.0), look(picture=seen()), "inlet_low"),
        (cool(26.1), look(), "unchanged"),
        (ask(), look(faults={RATE: Fault(3, NOW - MINUTE)}), "backing_off"),
        (ask(), look(audit_ready=False), "audit_full"),
        (of_job("delay"), look(), "Allowed"),
        (of_job("delay", origin=Origin.OVERRIDE), look(modes=dict.fromkeys(AUTO, "observe")), "Allowed"),
        (of_job("delay"), look(modes=dict.fromkeys(AUTO, "observe")), "observe"),
        (ask(origin=Origin.OVERRIDE, approved_by=("a",), until=NOW), look(), "end_past"),
        (ask(origin=Origin.OVERRIDE, approved_by=("a",), until=NOW + MINUTE), look(), "Allowed"),
        (of_job("explode"), look(), "unknown_verb"),
        (of_job("suspend"), look(), "wrong_state"),
        (of_job("delay"), look(jobs=None), "no_scheduler"),
        (of_job("delay"), look(jobs={}), "unknown_job"),
        (of_job("suspend"), look(jobs={"job": job(JobState.RUNNING, flexible=False)}), "urgent_job"),
        (of_job("power_down", origin=Origin.PLAN), look(), "people_only"),
        (of_job("power_up", origin=Origin.EVENT), look(), "people_only"),
        (of_job("power_down", origin=Origin.OPERATOR), look(modes={"jobs": "observe"}), "observe"),
        (replace(of_job("delay"), until=None), look(), "no_end"),
        (replace(of_job("delay"), until=NOW), look(), "end_past"),
        (replace(of_job("suspend"), until=NOW + 72 * HOUR), look(jobs=RUNS), "pause_too_long"),
        (of_job("delay"), look(overrides={("job", ""): NOW + HOUR}), "overridden"),
    ],
)
def test_every_refusal_has_its_name(command: Command, view: View, expected: str) -> None:
    found = reason(judge(command, RULES, view))
    assert found == expected
    if found not in ("Allowed", "OutOfBounds"):
        assert f"guard.{found}" in codes("en")
        assert f"guard.{found}" in codes("fr")


def test_a_value_is_renewed_when_half_its_life_is_over_and_not_before() -> None:
    def held(left_s: float) -> View:
        until = NOW + timedelta(seconds=left_s)
        one = Held(40.0, "discharge_rate_pct", Origin.PLAN, NOW - timedelta(minutes=2), until)
        return look(held={("battery-1", "discharge_rate_pct"): one})

    assert reason(judge(ask(), RULES, held(200.0))) == "unchanged"
    assert isinstance(judge(ask(), RULES, held(100.0)), Allowed)
    assert isinstance(judge(ask(value=60.0), RULES, held(200.0)), Allowed)


def test_what_no_timer_keeps_is_renewed_while_it_is_ours_and_not_asked_for_twice_else() -> None:
    def held(left_s: float, value: float = 26.0, origin: Origin = Origin.PLAN) -> View:
        until = NOW + timedelta(seconds=left_s)
        one = Held(value, "setpoint_c", origin, NOW - timedelta(minutes=2), until)
        return look(held={("cooling-plant", "setpoint_c"): one})

    assert reason(judge(cool(26.0), RULES, held(200.0))) == "unchanged"
    assert isinstance(judge(cool(26.0), RULES, held(100.0)), Allowed)
    assert reason(judge(cool(26.0), RULES, held(-100.0))) == "unchanged"
    assert reason(judge(cool(26.0), RULES, held(100.0, value=25.0))) == "unchanged"
    assert reason(judge(cool(26.0), RULES, held(100.0, origin=Origin.OPERATOR))) == "outranked"


def test_rate_and_budget_are_the_points_own() -> None:
    key = ("battery-1", "discharge_rate_pct")
    rule = replace(RULES.points[key], every_s=60.0, daily_writes=3)
    closer = replace(RULES, points={**RULES.points, key: rule})
    fresh = Held(10.0, "discharge_rate_pct", Origin.PLAN, NOW - timedelta(seconds=30), NOW)
    assert reason(judge(ask(), closer, look(held={key: fresh}))) == "too_soon"
    assert reason(judge(ask(), closer, look(writes={key: 3}))) == "budget_spent"
    assert isinstance(judge(ask(), closer, look(writes={key: 2})), Allowed)


def test_the_site_may_hold_a_point_closer_than_its_profile() -> None:
    limits = {("battery", "discharge_rate_pct"): PointLimit(minimum=-20.0, maximum=50.0)}
    site = replace(LAB.site, guard=Guarding(limits=limits))
    closer = rules(replace(LAB, site=site))
    assert judge(ask(value=60.0), closer, look()) == OutOfBounds(-20.0, 50.0)


def test_a_compressor_needs_flow_that_is_seen() -> None:
    key = ("chiller-1", "enable_state")
    allowed = replace(RULES, points={**RULES.points, key: replace(RULES.points[key], allowed=True)})
    command = ask("enable_state", 1.0, actuator=ActuatorClass.COOLING, target="chiller-1")
    chiller = {"chiller-1": {"enable_state": 0.0}}
    assert isinstance(judge(command, allowed, look(picture=seen({**GOOD, **chiller}))), Allowed)
    still = {**GOOD, **chiller, "cooling-plant": {"flow_lpm": 0.0}, "cdu-a1-1": {"flow_lpm": 0.0}}
    assert reason(judge(command, allowed, look(picture=seen(still)))) == "no_flow"


def test_a_bad_value_is_no_value() -> None:
    picture = seen()
    bad = replace(picture.readings["battery-1"], flags={"soc_pct": (Quality.UNCERTAIN, Reason.FROZEN)})
    view = look(picture=replace(picture, readings={**picture.readings, "battery-1": bad}))
    assert reason(judge(ask(value=-50.0), RULES, view)) == "stale_input"


def test_jobs_share_one_slot_and_the_order_of_origins_is_total() -> None:
    assert slot(of_job("delay")) == slot(of_job("resume")) == ("job", "")
    assert ORDER == (Origin.SAFETY, Origin.OVERRIDE, Origin.EVENT, Origin.OPERATOR, Origin.PLAN)
