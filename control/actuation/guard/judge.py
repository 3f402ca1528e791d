"""One question: may this command go? Every refusal has a name. Pure."""

from collections.abc import Callable
from datetime import timedelta

from igoudar.collectors.results import OutOfBounds, Rejected
from igoudar.control.actuation.command import ActuatorClass, Command, Origin
from igoudar.control.actuation.guard.interlocks import interlock
from igoudar.control.actuation.guard.jobs import unfit_job
from igoudar.control.actuation.guard.points import no_change, out_of_range, strange_point, too_often
from igoudar.control.actuation.guard.rules import NODE_POWER, Rules
from igoudar.control.actuation.guard.verdict import Allowed, Verdict
from igoudar.control.actuation.guard.view import View, outranks, slot

AHEAD = timedelta(seconds=90)  # a command issued later than now: somebody's clock has jumped
PEOPLE = (Origin.OVERRIDE, Origin.OPERATOR)
ENDING = ("release", "resume")  # give a job back to its scheduler
Check = Callable[[Command, Rules, View], Rejected | OutOfBounds | None]


def judge(command: Command, rules: Rules, view: View) -> Verdict:
    """Allowed, or the first thing that speaks against it."""
    for check in CHECKS:
        refused = check(command, rules, view)
        if refused is not None:
            return refused
    return Allowed(_waits_for(command, rules, view))


def _hands(command: Command, rules: Rules, view: View) -> Rejected | None:
    if view.hands_off:
        return Rejected("hands_off")
    if not view.lease:
        return Rejected("no_lease")
    # What can't be told is not begun; safety, what people ask and what ends our own doing goes on.
    ends = command.actuator is ActuatorClass.JOBS and command.point in ENDING
    begins = command.origin in (Origin.PLAN, Origin.EVENT) and not ends
    return Rejected("audit_full") if begins and not view.audit_ready else None


def _time(command: Command, rules: Rules, view: View) -> Rejected | None:
    if _over(command, view):
        return Rejected("end_past")
    if command.expires_at <= view.now:
        return Rejected("expired")
    return Rejected("clock_jump") if command.issued_at - view.now > AHEAD else None


def _over(command: Command, view: View) -> bool:
    """Whether what is asked of a device has ended before it began; verbs of jobs have rules of their own."""
    until = None if command.actuator is ActuatorClass.JOBS else command.until
    return until is not None and until <= view.now


def _mode(command: Command, rules: Rules, view: View) -> Rejected | None:
    """A person's single deed on a job is theirs in any mode; plant and nodes stand still in observe."""
    job = command.actuator is ActuatorClass.JOBS and command.point not in NODE_POWER
    own_deed = job and command.origin in PEOPLE
    if command.origin is Origin.SAFETY or own_deed:
        return None
    return Rejected("observe") if view.modes.get(command.actuator, "observe") == "observe" else None


def _rank(command: Command, rules: Rules, view: View) -> Rejected | None:
    key = slot(command)
    until = view.overrides.get(key)
    if until is not None and until > view.now and outranks(Origin.OVERRIDE, command.origin):
        return Rejected("overridden")
    held = view.held.get(key)
    if held is not None and held.until > view.now and outranks(held.origin, command.origin):
        return Rejected("outranked")
    return None


def _settling(command: Command, rules: Rules, view: View) -> Rejected | None:
    """After a start the plant is read and left alone for a while; jobs have their begin times anyway."""
    if command.actuator is ActuatorClass.JOBS or command.origin is not Origin.PLAN:
        return None
    settled = (view.now - view.started_at).total_seconds() >= rules.settle_s
    return None if settled else Rejected("settling")


def _waits_for(command: Command, rules: Rules, view: View) -> int:
    """How many more people must approve."""
    if command.origin is Origin.SAFETY:
        return 0
    advise = view.modes.get(command.actuator) == "advise"
    person = command.origin in PEOPLE
    if not (person or advise):
        return 0
    needed = 2 if command.actuator in rules.guarding.two_person else 1
    return max(0, needed - len(set(command.approved_by)))


CHECKS: tuple[Check, ...] = (
    _hands,
    _time,
    _mode,
    strange_point,
    unfit_job,
    out_of_range,
    _rank,
    _settling,
    interlock,
    no_change,
    too_often,
)
