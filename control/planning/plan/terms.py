"""What a site may have beyond the plain plan: each a term of the program of its own, absent unless asked."""

from typing import TYPE_CHECKING, Protocol

from igoudar.control.planning.plan.binding import Binding
from igoudar.control.planning.plan.classes import Corridor
from igoudar.control.planning.plan.cooling import CoolingTerm
from igoudar.control.planning.plan.events import EventLimits
from igoudar.control.planning.plan.outlook import Outlook
from igoudar.control.planning.plan.program import Solved
from igoudar.control.planning.plan.reserve import Reserve
from igoudar.control.planning.plan.segments import CapSegments, segments
from igoudar.control.planning.policy import View, Why
from igoudar.control.planning.table import Floats

if TYPE_CHECKING:
    from igoudar.control.planning.plan.model import PlanModel


class Term(Protocol):
    """Columns and rows that join the program when it is built; a term is absent, or fed at every step."""

    def feed(self, view: View, outlook: Outlook, work: Corridor) -> None:
        """Everything that this step knows anew."""
        ...

    def gave_way(self, solved: Solved, course: int) -> tuple[Why, ...]:
        """What of it the plan can't keep, and by how much."""
        ...

    def binds(self, solved: Solved, course: int, weight: Floats) -> tuple[Binding, ...]:
        """What of it decides the plan, given the weight of each slot."""
        ...


def terms_of(model: "PlanModel") -> tuple[Term, ...]:
    """The terms that the limits ask for; what lightens the facility's load comes before what limits it."""
    limits, found = model.limits, list[Term]()
    if limits.cooling is not None:
        found.append(CoolingTerm(model, limits.cooling))
    if segments(limits.cap_curve):  # caps that save nothing are none
        found.append(CapSegments(model))
    if limits.ceilings:
        found.append(EventLimits(model))
    if limits.reserve_w > 0.0 or limits.reserve_share > 0.0:
        found.append(Reserve(model))
    return tuple(found)
