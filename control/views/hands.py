"""Proposals, overrides and previews as documents."""

from datetime import datetime

from igoudar.collectors.results import OutOfBounds, Rejected
from igoudar.control.actuation.chronicle import word_of
from igoudar.control.actuation.command import ActuatorClass, Command
from igoudar.control.actuation.executor import Executor, Outcome
from igoudar.control.actuation.guard.verdict import Allowed
from igoudar.control.actuation.overrides import JOB_VERBS
from igoudar.control.actuation.packing import unpack
from igoudar.control.actuation.sight import new, shown
from igoudar.control.records.safety_tables import OverrideRow, ProposalRow
from igoudar.control.schema import Text
from igoudar.control.schema_hands import HandsOffView, OutcomeView, OverrideView, PreviewView, ProposalView
from igoudar.control.text import text
from igoudar.core.handsoff import HandsOff
from igoudar.core.units import unit_of


def proposal_view(row: ProposalRow, zone: str) -> ProposalView:
    """A proposal as a document."""
    command = unpack(row.command)
    return ProposalView(
        id=row.id,
        at=row.at,
        expires_at=row.expires_at,
        actuator=command.actuator.value,
        target=command.target,
        point=command.point,
        before=row.before,
        after=shown(new(command)),
        unit=_unit(command.actuator, command.point),
        effect_w=row.effect_w,
        reason=text(command.code, zone, **command.params),
        who=command.who,
        approvals_needed=row.approvals_needed,
        approved_by=sorted(row.approved_by),
        state=row.state,
    )


def override_view(row: OverrideRow) -> OverrideView:
    """An override as a document."""
    return OverrideView(
        target=row.target,
        point=row.point,
        value=row.value,
        unit="" if row.point in JOB_VERBS else unit_of(row.point),
        at=row.at,
        until=row.until,
        who=row.who,
        reason=row.reason,
    )


def preview_view(executor: Executor, command: Command, now: datetime) -> PreviewView:
    """What it would change, and what would be said to it now."""
    found = executor.preview(command)
    verdict = executor.gate.judge(command, now)
    return PreviewView(
        target=command.target,
        point=command.point,
        old=found.old,
        new=found.new,
        unit=found.unit,
        expires_at=found.expires_at,
        effect_w=found.effect_w,
        refusal=_refusal(verdict),
        waits_for=verdict.waits_for if isinstance(verdict, Allowed) else 0,
    )


def outcome_view(outcome: Outcome, preview: PreviewView | None = None) -> OutcomeView:
    """An outcome as a document."""
    return OutcomeView(
        command_id=outcome.command.command_id,
        target=outcome.command.target,
        point=outcome.command.point,
        result=word_of(outcome.result),
        proposal_id=outcome.proposal_id,
        preview=preview,
    )


def hands_off_view(said: HandsOff | None) -> HandsOffView:
    """Hands-off as a document."""
    if said is None:
        return HandsOffView(on=False)
    return HandsOffView(on=True, who=said.who, when=said.when, why=said.why)


def _refusal(verdict: Allowed | Rejected | OutOfBounds) -> Text | None:
    if isinstance(verdict, Rejected):
        return text(f"guard.{verdict.reason}")
    if isinstance(verdict, OutOfBounds):
        return text("guard.out_of_bounds", minimum=verdict.minimum, maximum=verdict.maximum)
    return None


def _unit(actuator: ActuatorClass, point: str) -> str:
    return "" if actuator is ActuatorClass.JOBS else unit_of(point)
