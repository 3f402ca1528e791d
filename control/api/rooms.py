"""What the routes of the API need."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from igoudar.control.alarms.engine import AlarmEngine
from igoudar.control.api.reports import Reports
from igoudar.control.api.webhook import Hook
from igoudar.control.demand_response.events import Events
from igoudar.control.desk import Desk
from igoudar.control.hands import Hands
from igoudar.control.mode import Modes
from igoudar.control.nodes import Nodes
from igoudar.control.operator import Operator
from igoudar.control.people.users import Users
from igoudar.control.records.room import AuditRoom
from igoudar.control.records.state import Records
from igoudar.control.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class Rooms:
    """What the routes need."""

    desk: Desk
    modes: Modes
    operator: Operator
    engine: AlarmEngine
    records: Records
    reports: Reports
    telemetry: Telemetry
    first_good_at: Callable[[], datetime | None]
    now: Callable[[], datetime]
    users: Users
    room: AuditRoom
    hands: Hands
    nodes: Nodes
    events: Events
    webhook: Hook | None = None
