"""The alarm list."""

from collections import Counter

from igoudar.control.alarms.alarm import Alarm
from igoudar.control.alarms.states import AlarmState
from igoudar.control.scene import Scene
from igoudar.control.schema import Alarms, AlarmView
from igoudar.control.text import text

UNSEEN = (AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED_UNACKNOWLEDGED)
PRIORITIES = (1, 2, 3)


def alarms(scene: Scene) -> Alarms:
    """Alarms that are not normal, worst first, and how many nobody has seen."""
    views = [alarm_view(alarm, scene.zone) for alarm in scene.alarms]
    return Alarms(time=scene.now, counts=unseen_counts(scene.alarms), alarms=views)


def unseen_counts(listed: tuple[Alarm, ...]) -> dict[int, int]:
    """Unacknowledged alarms per priority."""
    found = Counter(alarm.priority for alarm in listed if alarm.life.state in UNSEEN)
    return {priority: found.get(priority, 0) for priority in PRIORITIES}


def alarm_view(alarm: Alarm, zone: str) -> AlarmView:
    """One alarm as a document."""
    life = alarm.life
    return AlarmView.model_validate(
        {
            "id": alarm.id,
            "priority": alarm.priority,
            "state": life.state.value,
            "source": str(alarm.params.get("source") or alarm.source),
            "text": text(f"alarms.{alarm.code}", zone, **alarm.params),
            "action": text(f"alarms.{alarm.code}_action", zone, **alarm.params),
            "raised_at": life.raised_at,
            "returned_at": life.returned_at,
            "acknowledged_at": life.acknowledged_at,
            "acknowledged_by": life.acknowledged_by or None,
            "occurrences": life.occurrences,
        }
    )
