"""The API for Python: what the command line and the dashboard call; synchronous, one connection."""

import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, TypeAdapter

from igoudar.control.schema import (
    ActionView,
    Alarms,
    AlarmView,
    Devices,
    DeviceView,
    Halls,
    Jobs,
    Kpis,
    ModeView,
    Overview,
    PlanView,
    RackDetail,
    SeriesView,
    Status,
)
from igoudar.core.errors import CommandError, ConfigError, LinkError

M = TypeVar("M", bound=BaseModel)
TIMEOUT_S = 10.0
UNAUTHORISED, TOO_EARLY, REFUSED = 401, 503, 400
ACTIONS = TypeAdapter(list[ActionView])


class ApiClient:
    """Speaks to one control API with one person's token."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT_S, trust_env=False)

    @classmethod
    def of_state(cls, state: Path, url: str | None = None) -> "ApiClient":
        """The API of a state folder, with the token of IGOUDAR_TOKEN_FILE or of the folder.

        Raises:
            ConfigError: when nothing has been started there.
        """
        token_file = Path(os.environ.get("IGOUDAR_TOKEN_FILE") or state / "token")
        return cls(url or _address(state), _read(token_file).strip())

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

    def actions(self, limit: int = 100, target: str | None = None) -> list[ActionView]:
        """What was done, newest first."""
        params = {"limit": str(limit)} | ({"target": target} if target else {})
        return ACTIONS.validate_json(self._call("GET", "/v1/actions", params=params))

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

    def acknowledge(self, alarm_id: str, comment: str = "") -> AlarmView:
        """Say that an alarm was seen."""
        return self._post(
            AlarmView, f"/v1/alarms/{quote(alarm_id, safe='')}/acknowledge", {"comment": comment}
        )

    def _get(self, model: type[M], path: str, **params: str) -> M:
        return model.model_validate_json(self._call("GET", path, params=params))

    def _post(self, model: type[M], path: str, body: Mapping[str, str]) -> M:
        return model.model_validate_json(self._call("POST", path, json=dict(body)))

    def _call(self, method: str, path: str, **options: Any) -> bytes:
        try:
            answer = self._http.request(method, path, **options)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise LinkError(
                f"the control API does not answer ({type(error).__name__})",
                where=self._url,
                fix="start it with `igoudar up`, or give --state of the site that runs",
            ) from error
        if answer.status_code >= REFUSED:
            raise _refused(answer, self._url + path)
        return answer.content


def _refused(answer: httpx.Response, where: str) -> LinkError | CommandError | ConfigError:
    try:
        said = answer.json()
        what, place, fix = str(said["what"]), str(said.get("where") or where), str(said.get("fix", ""))
    except (ValueError, KeyError, TypeError):
        what, place, fix = f"HTTP {answer.status_code}", where, ""
    if answer.status_code == UNAUTHORISED:
        return ConfigError(what, where=place, fix=fix)
    kind = LinkError if answer.status_code == TOO_EARLY else CommandError
    return kind(what, where=place, fix=fix)


def _address(state: Path) -> str:
    try:
        return str(json.loads(_read(state / "api.json"))["url"])
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError("the address of the API can't be read", where=str(state / "api.json")) from error


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"can't be read ({error.strerror})",
            where=str(path),
            fix="is the site up? Start it with `igoudar up`, or give its --state",
        ) from error
