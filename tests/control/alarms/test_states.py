from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from igoudar.control.alarms.states import AlarmState, Event, Life, acknowledged, after, raised, returned

T0 = datetime(2026, 3, 1, tzinfo=UTC)
events = st.lists(st.sampled_from(list(Event)), max_size=40)


def live(history: list[Event]) -> Life:
    life = Life()
    for minute, event in enumerate(history):
        at = T0 + timedelta(minutes=minute)
        if event is Event.RAISE:
            life = raised(life, at)
        elif event is Event.RETURN:
            life = returned(life, at)
        else:
            life = acknowledged(life, at, "operator")
    return life


@given(events)
def test_life_follows_the_states(history: list[Event]) -> None:
    state = AlarmState.NORMAL
    for event in history:
        state = after(state, event)
    assert live(history).state is state


@given(events)
def test_the_condition_is_never_forgotten(history: list[Event]) -> None:
    last = [event for event in history if event is not Event.ACKNOWLEDGE][-1:]
    assert live(history).active is (last == [Event.RAISE])


@given(events)
def test_only_a_person_acknowledges(history: list[Event]) -> None:
    unseen = [event for event in history if event is not Event.ACKNOWLEDGE]
    life = live(unseen)
    assert life.state in (
        AlarmState.NORMAL,
        AlarmState.UNACKNOWLEDGED,
        AlarmState.RETURNED_UNACKNOWLEDGED,
    )
    if Event.RAISE in unseen:
        assert life.state is not AlarmState.NORMAL


@given(events)
def test_each_event_twice_is_once(history: list[Event]) -> None:
    doubled = [event for event in history for _ in range(2)]
    assert live(doubled).state is live(history).state
    assert live(doubled).occurrences == live(history).occurrences


def test_a_new_raise_after_normal_is_a_new_alarm() -> None:
    life = live([Event.RAISE, Event.ACKNOWLEDGE, Event.RETURN, Event.RAISE])
    assert life.raised_at == T0 + timedelta(minutes=3)
    assert life.occurrences == 2
    assert life.acknowledged_at is None
