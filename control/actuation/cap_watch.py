"""What looking after caps finds: lines of the audit, and an alarm while a node does not hold its cap."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from igoudar.control.actuation.caps import CapAgentLink, CapFinding
from igoudar.control.actuation.chronicle import CONTROL, Chronicle
from igoudar.control.alarms.watch import Conditions, Signal, standing
from igoudar.control.picture import Picture

PRIORITY = 2
AMISS = ("lost", "unreachable")


@dataclass(slots=True)
class CapWatch:
    """Looks after the caps of all nodes.

    Args:
        link: To the agents.
        chronicle: The audit.
        now: Site time.
    """

    link: CapAgentLink
    chronicle: Chronicle
    now: Callable[[], datetime]
    _amiss: dict[str, str] = field(default_factory=dict)  # node -> why
    _known: set[str] = field(default_factory=set)

    async def run(self) -> None:
        """Look, again and again, until cancelled."""
        await self.link.run(self.note)

    def note(self, findings: Sequence[CapFinding]) -> None:
        """One look's findings; what stays amiss is told once."""
        amiss = {one.node: one.detail or one.code for one in findings if one.code in AMISS}
        for one in findings:
            if one.code not in AMISS or one.node not in self._amiss:
                params = {"node": one.node, "detail": one.detail}
                code = f"caps.finding_{one.code}"
                result = "failed" if one.code in AMISS else "done"
                self.chronicle.say(
                    self.now(), CONTROL, "cap_verified", one.node, one.code, code, params, result=result
                )
        self._amiss = amiss
        self.chronicle.flush()

    def signals(self, picture: Picture, before: Conditions) -> Iterator[Signal]:
        """What the alarm engine follows."""
        for node in self._known | set(self._amiss):
            why = self._amiss.get(node)
            yield standing(
                "cap_lost", node, PRIORITY, why is not None, picture.at, before, {"why": why or ""}
            )
        self._known = set(self._amiss)
