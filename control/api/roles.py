"""Which role each route needs; a route that is not here can't be served at all."""

from collections.abc import Mapping

from igoudar.control.people.roles import Role

VIEWER, OPERATOR, SUPERVISOR, ADMIN = Role.VIEWER, Role.OPERATOR, Role.SUPERVISOR, Role.ADMIN

# (method, path as it is declared) -> the least role; None = open to everybody.
NEEDED: Mapping[tuple[str, str], Role | None] = {
    ("GET", "/health"): None,
    ("GET", "/metrics"): None,
    ("POST", "/v1/webhooks/demand-response"): None,  # its signature is its token
    ("GET", "/v1/openapi.json"): VIEWER,
    ("GET", "/v1/status"): VIEWER,
    ("GET", "/v1/overview"): VIEWER,
    ("GET", "/v1/halls"): VIEWER,
    ("GET", "/v1/alarms"): VIEWER,
    ("GET", "/v1/jobs"): VIEWER,
    ("GET", "/v1/plan"): VIEWER,
    ("GET", "/v1/devices"): VIEWER,
    ("GET", "/v1/racks/{name:path}"): VIEWER,
    ("GET", "/v1/devices/{name:path}"): VIEWER,
    ("GET", "/v1/kpi"): VIEWER,
    ("GET", "/v1/series"): VIEWER,
    ("GET", "/v1/mode"): VIEWER,
    ("GET", "/v1/actions"): VIEWER,
    ("POST", "/v1/mode"): OPERATOR,
    ("POST", "/v1/jobs/{job_id:path}/approve"): OPERATOR,
    ("POST", "/v1/jobs/{job_id:path}/{verb}"): OPERATOR,
    ("POST", "/v1/alarms/{alarm_id}/acknowledge"): OPERATOR,
    ("POST", "/v1/jobs/{job_id:path}/{verb}/preview"): OPERATOR,
    ("GET", "/v1/proposals"): VIEWER,
    ("POST", "/v1/proposals/{proposal_id}/approve"): OPERATOR,
    ("POST", "/v1/proposals/{proposal_id}/decline"): OPERATOR,
    ("GET", "/v1/overrides"): VIEWER,
    ("POST", "/v1/overrides"): OPERATOR,
    ("POST", "/v1/overrides/preview"): OPERATOR,
    ("POST", "/v1/overrides/release"): OPERATOR,
    ("GET", "/v1/nodes"): VIEWER,
    ("POST", "/v1/nodes/{name}/{verb}/preview"): OPERATOR,
    ("POST", "/v1/nodes/{name}/{verb}"): OPERATOR,
    ("GET", "/v1/handsoff"): VIEWER,
    ("POST", "/v1/handsoff"): OPERATOR,
    ("POST", "/v1/mode/{actuator}"): OPERATOR,
    ("GET", "/v1/events"): VIEWER,
    ("POST", "/v1/site/shed"): OPERATOR,
    ("POST", "/v1/site/shed/preview"): OPERATOR,
    ("POST", "/v1/site/cap"): OPERATOR,
    ("POST", "/v1/site/cap/preview"): OPERATOR,
    ("POST", "/v1/events/{event_id}/cancel"): OPERATOR,
    ("POST", "/v1/events/{event_id}/approve"): OPERATOR,
    ("GET", "/v1/whoami"): VIEWER,
    ("GET", "/v1/audit"): SUPERVISOR,
    ("GET", "/v1/users"): ADMIN,
    ("POST", "/v1/users"): ADMIN,
    ("POST", "/v1/users/{name}/disable"): ADMIN,
}
