"""The API for Python: proposals, overrides, hands-off and the modes of classes."""

from datetime import datetime
from typing import TypeVar
from urllib.parse import quote

from pydantic import BaseModel, TypeAdapter

from igoudar.control.client import ApiClient
from igoudar.control.schema import ModeView
from igoudar.control.schema_hands import (
    HandsOffView,
    NodeView,
    OutcomeView,
    OverrideView,
    PreviewView,
    ProposalView,
)

M = TypeVar("M", bound=BaseModel)
PROPOSALS, OVERRIDES = TypeAdapter(list[ProposalView]), TypeAdapter(list[OverrideView])
NODES = TypeAdapter(list[NodeView])


class HandsApi:
    """What a person does by hand, over an API client."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    def proposals(self) -> list[ProposalView]:
        """What waits for people, oldest first."""
        return PROPOSALS.validate_json(self._client.call("GET", "/v1/proposals"))

    def approve_proposal(self, proposal_id: str, reason: str) -> OutcomeView:
        """Approve; it is carried out once enough different people have."""
        return self._post(OutcomeView, f"/v1/proposals/{quote(proposal_id, safe='')}/approve", reason=reason)

    def decline_proposal(self, proposal_id: str, reason: str) -> ProposalView:
        """Decline."""
        return self._post(ProposalView, f"/v1/proposals/{quote(proposal_id, safe='')}/decline", reason=reason)

    def overrides(self) -> list[OverrideView]:
        """What people hold."""
        return OVERRIDES.validate_json(self._client.call("GET", "/v1/overrides"))

    def preview_override(
        self, target: str, point: str, value: float, until: datetime, reason: str
    ) -> PreviewView:
        """What an override would change."""
        return self._override(PreviewView, "/v1/overrides/preview", target, point, value, until, reason)

    def set_override(
        self, target: str, point: str, value: float, until: datetime, reason: str
    ) -> OutcomeView:
        """Hold a point at a value."""
        return self._override(OutcomeView, "/v1/overrides", target, point, value, until, reason)

    def release_override(self, target: str, point: str, reason: str) -> OverrideView:
        """Let go of a point."""
        return self._post(OverrideView, "/v1/overrides/release", target=target, point=point, reason=reason)

    def hands_off(self) -> HandsOffView:
        """Whether nothing may be sent."""
        return HandsOffView.model_validate_json(self._client.call("GET", "/v1/handsoff"))

    def set_hands_off(self, on: bool, reason: str) -> HandsOffView:
        """Stop every write, or let writes through again."""
        return self._post(HandsOffView, "/v1/handsoff", on=on, reason=reason)

    def set_class_mode(self, actuator: str, mode: str, reason: str) -> ModeView:
        """Change the mode of one actuator class."""
        return self._post(ModeView, f"/v1/mode/{quote(actuator, safe='')}", mode=mode, reason=reason)

    def preview_job(self, job_id: str, verb: str, reason: str, until: datetime | None = None) -> PreviewView:
        """What a verb would change about a job."""
        more = {"until": until.isoformat()} if until else {}
        return self._post(
            PreviewView, f"/v1/jobs/{quote(job_id, safe='')}/{verb}/preview", reason=reason, **more
        )

    def nodes(self) -> list[NodeView]:
        """The scheduler's nodes."""
        return NODES.validate_json(self._client.call("GET", "/v1/nodes"))

    def preview_node(self, name: str, verb: str, reason: str) -> PreviewView:
        """What power-down or power-up would change."""
        return self._post(PreviewView, f"/v1/nodes/{quote(name, safe='')}/{verb}/preview", reason=reason)

    def power_node(self, name: str, verb: str, reason: str) -> OutcomeView:
        """Turn a node off or on."""
        return self._post(OutcomeView, f"/v1/nodes/{quote(name, safe='')}/{verb}", reason=reason)

    def _override(
        self, model: type[M], path: str, target: str, point: str, value: float, until: datetime, reason: str
    ) -> M:
        ends = until.isoformat()
        return self._post(model, path, target=target, point=point, value=value, until=ends, reason=reason)

    def _post(self, model: type[M], path: str, **body: object) -> M:
        return model.model_validate_json(self._client.call("POST", path, json=body))
