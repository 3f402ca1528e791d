"""What we did to the plant lately: what stands, what failed, how often a point was written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from igoudar.collectors.results import Error, OutOfBounds, Partial, Rejected, Result, Success
from igoudar.control.actuation.command import ActuatorClass, Command
from igoudar.control.actuation.guard.view import Fault, Held, Slot, slot

HOUR = timedelta(hours=1)
KEPT = timedelta(days=2)  # of slots that nobody moves any more
ENDS = ("release", "resume", "requeue")  # verbs after which nothing stands
# Refusals of the second check that say nothing about the point itself.
NO_FAULT = frozenset(
    ("hands_off", "no_authority", "no_lease", "stale_epoch", "observe", "not_approved", "overridden")
) | frozenset(("settling", "expired", "rate_limited", "backing_off", "budget_spent"))


@dataclass(slots=True)
class Memory:
    """Per slot, of the commands that reached a link."""

    held: dict[Slot, Held] = field(default_factory=dict)
    faults: dict[Slot, Fault] = field(default_factory=dict)
    _written: dict[Slot, list[tuple[datetime, float]]] = field(default_factory=dict)
    _counts: dict[Slot, tuple[str, int]] = field(default_factory=dict)  # day -> writes

    def note(self, command: Command, result: Result, now: datetime, before: float | None = None) -> None:
        """What became of a command that a link carried; `before` it, the point showed that value."""
        key = slot(command)
        if isinstance(result, Success | Partial):
            self._stands(command, key, now, before)
        if command.actuator is ActuatorClass.JOBS and not isinstance(result, Error):
            self._answered()
        elif isinstance(result, Success):
            self.faults.pop(key, None)
        elif not _says_nothing(command, result):
            count = self.faults[key].count if key in self.faults else 0
            self.faults[key] = Fault(count + 1, now, f"{command.point}: {detail(result)}")

    def _answered(self) -> None:
        """The scheduler is there: what failed while it was not is asked for again by whoever wants it."""
        for key in [key for key in self.faults if not key[1]]:
            del self.faults[key]

    def release(self, key: Slot) -> None:
        """Nothing of ours stands there any more."""
        self.held.pop(key, None)

    def writes(self, now: datetime) -> Mapping[Slot, int]:
        """Writes per slot since midnight, UTC."""
        today = f"{now:%Y-%m-%d}"
        return {key: count for key, (day, count) in self._counts.items() if day == today}

    def past(self, now: datetime) -> Mapping[Slot, tuple[float, ...]]:
        """Values written within the last hour."""
        return {
            key: tuple(value for at, value in written if now - at <= HOUR)
            for key, written in self._written.items()
        }

    def count(self, key: Slot, now: datetime) -> None:
        """One more write of a point."""
        day, before = self._counts.get(key, ("", 0))
        today = f"{now:%Y-%m-%d}"
        self._counts[key] = (today, before + 1 if day == today else 1)

    def forget(self) -> None:
        """What stood may have been replaced or given back while another host was the writer."""
        self.held.clear()
        self.faults.clear()

    def tidy(self, now: datetime) -> None:
        """Forget what is long over."""
        old = [key for key, held in self.held.items() if now - max(held.until, held.at) > KEPT]
        for key in old:
            del self.held[key]
        for key in [key for key, fault in self.faults.items() if now - fault.at > KEPT]:
            del self.faults[key]

    def _stands(self, command: Command, key: Slot, now: datetime, before: float | None) -> None:
        if command.actuator is ActuatorClass.JOBS and command.point in ENDS:
            self.release(key)
            return
        job = command.actuator is ActuatorClass.JOBS
        until = max(command.expires_at, command.until or command.expires_at) if job else command.expires_at
        self.held[key] = Held(command.value, command.point, command.origin, now, until)
        if command.value is not None:
            self.count(key, now)
            kept = [one for one in self._written.get(key, []) if now - one[0] <= HOUR]
            if not kept and before is not None:
                kept = [(now, before)]
            self._written[key] = [*kept, (now, command.value)]


def _says_nothing(command: Command, result: Result) -> bool:
    """A refusal that is no fault of the slot: jobs go on by themselves, and people and epochs change."""
    if not isinstance(result, Rejected):
        return False
    return command.actuator is ActuatorClass.JOBS or result.reason in NO_FAULT


def detail(result: Result) -> str:
    """What went wrong, in a few words for the log; codes are told in the reader's language elsewhere."""
    if isinstance(result, Success):
        return "done"
    if isinstance(result, Partial):
        return f"partial: {result.missing}"
    if isinstance(result, Rejected):
        return f"rejected: {result.reason}" + (f" ({result.detail})" if result.detail else "")
    if isinstance(result, OutOfBounds):
        return f"out of bounds: {result.minimum:g} to {result.maximum:g}"
    return f"failed: {result.detail}"
