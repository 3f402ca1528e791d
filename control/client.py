"""The API for Python: what the command line and the dashboard call; synchronous, one connection."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, TypeAdapter

from igoudar.control import client_way as way
from igoudar.control.schema import (
    ActionView,
    Alarms,
    AlarmView,
    AuditView,
    Devices,
    DeviceView,
    Halls,
    Jobs,
    Kpis,
    ModeView,
    NewUserView,
    Overview,
    PersonView,
    PlanView,
    RackDetail,
    SeriesView,
    Status,
    UserView,
)
from igoudar.control.schema_events import EventPreview, EventsView, EventView
from igoudar.core.errors import LinkError

M = TypeVar("M", bound=BaseModel)
TIMEOUT_S = 10.0
ACTIONS = TypeAdapter(list[ActionView])
USERS = TypeAdapter(list[UserView])


class ApiClient:
    """Speaks to one control API with one person's token."""

    def __init__(self, url: str, token: str, ca: Path | None = None) -> None:
        """`ca` is a PEM file of the API's own certificate, or of the authorities it may come from."""
        self._url = url
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        verify = way.trust(ca or way.ca_of_environment()) if url.startswith("https:") else True
        self._http = httpx.Client(
            base_url=url, headers=headers, timeout=TIMEOUT_S, trust_env=False, verify=verify
        )

    @classmethod
    def of_state(cls, state: Path, url: str | None = None) -> "ApiClient":
        """The API of a state folder, with the token of IGOUDAR_TOKEN_FILE or of the folder.

        Raises:
            ConfigError: when nothing has been started there.
        """
        told = way.told(state) if url is None or url.startswith("https:") else way.Told(url)
        return cls(url or told.url, way.token(state), told.certificate)

    def __enter__(self) -> "ApiClient":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the connection."""
        self._http.close()

    def status(self) -> Status:
        """One glance."""
        return self._get(Status, "/v1/status")

    def kpi(self, window: str = "24h") -> Kpis:
        """The KPI family over a window: 15m, 1h, 24h, 7d, run."""
        return self._get(Kpis, "/v1/kpi", window=window)

    def overview(self) -> Overview:
        """The first page."""
        return self._get(Overview, "/v1/overview")

    def halls(self) -> Halls:
        """The floor plan."""
        return self._get(Halls, "/v1/halls")

    def rack(self, name: str) -> RackDetail:
        """One rack."""
        return self._get(RackDetail, f"/v1/racks/{quote(name)}")

    def alarms(self) -> Alarms:
        """Alarms that are not normal."""
        return self._get(Alarms, "/v1/alarms")

    def jobs(self) -> Jobs:
        """Jobs waiting and running."""
        return self._get(Jobs, "/v1/jobs")

    def plan(self) -> PlanView:
        """The plan in force: its steps, and the waiting jobs in it."""
        return self._get(PlanView, "/v1/plan")

    def approve(self, job_id: str, plan_version: str, reason: str) -> ActionView:
        """Carry out a proposal of one plan; refused when that plan is not in force any more."""
        body = {"plan_version": plan_version, "reason": reason}
        return self._post(ActionView, f"/v1/jobs/{quote(job_id, safe='')}/approve", body)

    def devices(self) -> Devices:
        """Device health."""
        return self._get(Devices, "/v1/devices")

    def device(self, name: str) -> DeviceView:
        """One device with its values."""
        return self._get(DeviceView, f"/v1/devices/{quote(name)}")

    def mode(self) -> ModeView:
        """The control mode."""
        return self._get(ModeView, "/v1/mode")

    def actions(
        self,
        limit: int = 100,
        target: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[ActionView]:
        """What was done, newest first: of one target, from `since` on, before `until`, when given."""
        times = {"since": since, "until": until}
        params = {"limit": str(limit)} | ({"target": target} if target else {})
        params |= {name: at.isoformat() for name, at in times.items() if at}
        return ACTIONS.validate_json(self.call("GET", "/v1/actions", params=params))

    def series(self, device: str, point: str, start: datetime, end: datetime, width: int = 400) -> SeriesView:
        """One point over time, at most `width` steps."""
        window = {"start": start.isoformat(), "end": end.isoformat(), "width": str(width)}
        return self._get(SeriesView, "/v1/series", device=device, point=point, **window)

    def set_mode(self, mode: str, reason: str) -> ModeView:
        """Change the control mode."""
        return self._post(ModeView, "/v1/mode", {"mode": mode, "reason": reason})

    def job_action(self, job_id: str, verb: str, reason: str, until: datetime | None = None) -> ActionView:
        """Hold, release, delay, suspend or resume a job."""
        body = {"reason": reason} | ({"until": until.isoformat()} if until else {})
        return self._post(ActionView, f"/v1/jobs/{quote(job_id, safe='')}/{verb}", body)

    def whoami(self) -> PersonView:
        """Who this token stands for."""
        return self._get(PersonView, "/v1/whoami")

    def audit(self) -> AuditView:
        """A full look at the audit's chain and disks."""
        return self._get(AuditView, "/v1/audit")

    def users(self) -> list[UserView]:
        """Everybody who has a token of their own."""
        return USERS.validate_json(self.call("GET", "/v1/users"))

    def add_user(self, name: str, role: str) -> NewUserView:
        """A new user with the token."""
        return self._post(NewUserView, "/v1/users", {"name": name, "role": role})

    def disable_user(self, name: str) -> UserView:
        """A user whose token opens nothing any more."""
        return self._post(UserView, f"/v1/users/{quote(name, safe='')}/disable", {})

    def events(self) -> EventsView:
        """Emergency and demand-response events."""
        return self._get(EventsView, "/v1/events")

    def preview_event(self, verb: str, body: Mapping[str, object]) -> EventPreview:
        """What a shed or a cap would do; nothing is done."""
        return self._post(EventPreview, f"/v1/site/{verb}/preview", body)

    def open_event(self, verb: str, body: Mapping[str, object]) -> EventView:
        """Ask for a shed or a cap."""
        return self._post(EventView, f"/v1/site/{verb}", body)

    def cancel_event(self, event_id: str, reason: str) -> EventView:
        """End an event; the load comes back along the ramp."""
        return self._post(EventView, f"/v1/events/{quote(event_id, safe='')}/cancel", {"reason": reason})

    def approve_event(self, event_id: str, reason: str) -> EventView:
        """Stand behind all that an event does."""
        return self._post(EventView, f"/v1/events/{quote(event_id, safe='')}/approve", {"reason": reason})

    def acknowledge(self, alarm_id: str, comment: str = "") -> AlarmView:
        """Say that an alarm was seen."""
        return self._post(
            AlarmView, f"/v1/alarms/{quote(alarm_id, safe='')}/acknowledge", {"comment": comment}
        )

    def _get(self, model: type[M], path: str, **params: str) -> M:
        return model.model_validate_json(self.call("GET", path, params=params))

    def _post(self, model: type[M], path: str, body: Mapping[str, object]) -> M:
        return model.model_validate_json(self.call("POST", path, json=dict(body)))

    def call(self, method: str, path: str, **options: Any) -> bytes:
        """Any request; the body of the answer.

        Raises:
            LinkError: no answer, or not now. CommandError, ConfigError: refused.
        """
        try:
            answer = self._http.request(method, path, **options)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise LinkError(
                f"the control API does not answer ({type(error).__name__})",
                where=self._url,
                fix="start it with `igoudar up`, or give --state of the site that runs",
            ) from error
        if answer.status_code >= way.REFUSED:
            raise way.refused(answer, self._url + path)
        return answer.content
