"""Routes about what waits for people."""

from collections.abc import Callable
from datetime import datetime

from fastapi import FastAPI, Request
from pydantic import Field

from igoudar.control.api.bodies import Body
from igoudar.control.hands import Hands
from igoudar.control.people.roles import Role
from igoudar.control.schema_hands import OutcomeView, ProposalView
from igoudar.control.views.hands import outcome_view, proposal_view


class DecisionBody(Body):
    """Why it is approved or declined."""

    reason: str = Field(min_length=1, max_length=500)


def add_proposals(app: FastAPI, hands: Hands, now: Callable[[], datetime]) -> None:
    """List, approve, decline."""
    zone = hands.executor.chronicle.zone

    @app.get("/v1/proposals")
    async def proposals() -> list[ProposalView]:
        return [proposal_view(row, zone) for row in hands.proposals()]

    @app.post("/v1/proposals/{proposal_id}/approve")
    async def approve_proposal(proposal_id: str, body: DecisionBody, request: Request) -> OutcomeView:
        may_second = request.state.person.role >= Role.SUPERVISOR
        who = request.state.who
        outcome = await hands.approve(proposal_id, who, body.reason, now(), may_second=may_second)
        return outcome_view(outcome)

    @app.post("/v1/proposals/{proposal_id}/decline")
    async def decline_proposal(proposal_id: str, body: DecisionBody, request: Request) -> ProposalView:
        return proposal_view(hands.decline(proposal_id, request.state.who, body.reason, now()), zone)
