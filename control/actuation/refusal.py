"""A refusal in words, for the person who asked."""

from igoudar.collectors.results import Error, OutOfBounds, Partial, Rejected
from igoudar.control.actuation.executor import Outcome
from igoudar.core.errors import CommandError
from igoudar.core.i18n import codes, render
from igoudar.core.said import said

NOT_NOW = ("proposed",)  # no refusal: it waits for a second person


def raise_refused(outcome: Outcome) -> None:
    """Nothing when it was done, or waits for people.

    Raises:
        CommandError: it was refused, or is not known to have happened.
    """
    result, where = outcome.result, outcome.command.target
    if isinstance(result, Rejected) and result.reason not in NOT_NOW:
        raise _rejected(result, where)
    if isinstance(result, OutOfBounds):
        bounds = {"minimum": result.minimum, "maximum": result.maximum}
        raise said(CommandError, "refusal.out_of_bounds", where=where, **bounds)
    if isinstance(result, Error):
        raise CommandError(result.detail, where=where)
    if isinstance(result, Partial):
        raise said(CommandError, "refusal.done_in_part", where=where, missing=result.missing)


def reason_text(refused: Rejected) -> str:
    """The text of a named reason, with what its finder added."""
    code = f"guard.{refused.reason}"
    text = render(code) if code in codes("en") else refused.reason
    return f"{text} ({refused.detail})" if refused.detail else text


def _rejected(refused: Rejected, where: str) -> CommandError:
    code = f"guard.{refused.reason}"
    if code not in codes("en"):
        return CommandError(reason_text(refused), where=where)
    return said(CommandError, code, where=where, detail=refused.detail)
