"""A refusal in words, for the person who asked."""

from igoudar.collectors.results import Error, OutOfBounds, Partial, Rejected
from igoudar.control.actuation.executor import Outcome
from igoudar.core.errors import CommandError
from igoudar.core.i18n import codes, render

NOT_NOW = ("proposed",)  # no refusal: it waits for a second person


def raise_refused(outcome: Outcome) -> None:
    """Nothing when it was done, or waits for people.

    Raises:
        CommandError: it was refused, or is not known to have happened.
    """
    result, where = outcome.result, outcome.command.target
    if isinstance(result, Rejected) and result.reason not in NOT_NOW:
        raise CommandError(reason_text(result), where=where, fix=_fix(result.reason))
    if isinstance(result, OutOfBounds):
        what = render("guard.out_of_bounds", {"minimum": result.minimum, "maximum": result.maximum})
        raise CommandError(what, where=where, fix="give a value inside")
    if isinstance(result, Error):
        raise CommandError(result.detail, where=where)
    if isinstance(result, Partial):
        raise CommandError(f"done in part: {result.missing}", where=where, fix="look at the device")


def reason_text(refused: Rejected) -> str:
    """The text of a named reason, with what its finder added."""
    code = f"guard.{refused.reason}"
    text = render(code) if code in codes("en") else refused.reason
    return f"{text} ({refused.detail})" if refused.detail else text


def _fix(reason: str) -> str:
    fix = f"guard.{reason}_fix"
    return render(fix) if fix in codes("en") else ""
