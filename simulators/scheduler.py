"""The simulated cluster's HTTP API, and what only a simulator can tell: run-now, totals, faults."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from igoudar.core.model import Job
from igoudar.simulators.faults import FaultBoard
from igoudar.simulators.http_server import HttpError, Request, Response
from igoudar.simulators.plant.cluster import JobRecord
from igoudar.simulators.slurm_follow import Follower
from igoudar.simulators.summary import summary
from igoudar.simulators.twin import Twin

Save = Callable[[], Awaitable[Path]]


class SchedulerApi:
    """Answers the cluster's API.

    Args:
        twin: Plant and shadow.
        faults: Switches of the devices' faults.
        save: Writes a checkpoint and tells where.
        follower: Where the jobs are a real scheduler's: then none can be given or moved here.
    """

    def __init__(self, twin: Twin, faults: FaultBoard, save: Save, follower: Follower | None = None) -> None:
        self._twin, self._faults, self._save, self._follower = twin, faults, save, follower
        self._pages: Mapping[tuple[str, str], Callable[[Request], Awaitable[Any]]] = {
            ("GET", "/v1/jobs"): self._jobs,
            ("GET", "/v1/shadow"): self._shadow,
            ("GET", "/v1/summary"): self._summary,
            ("GET", "/v1/faults"): self._active_faults,
            ("POST", "/v1/faults"): self._set_fault,
            ("POST", "/v1/submit"): self._submit,
            ("POST", "/v1/checkpoint"): self._checkpoint,
        }

    async def __call__(self, request: Request) -> Response:
        """One call; refusals become a status with {"error": ...}."""
        page = self._pages.get((request.method, request.path))
        if page is not None:
            return Response.of_json(await page(request))
        words = request.path.strip("/").split("/")
        if request.method == "POST" and len(words) == 4 and words[:2] == ["v1", "jobs"]:
            return Response.of_json(self._act(unquote(words[2]), words[3], request.json()))
        raise HttpError(HTTPStatus.NOT_FOUND, f"no {request.method} {request.path}")

    async def _jobs(self, request: Request) -> dict[str, Any]:
        if self._follower is not None:
            return self._followed_jobs(self._follower)
        cluster, since = self._twin.plant.cluster, request.query.get("since_finished")
        records = cluster.list(_instant(since, "since_finished") if since else None)
        return {
            "time": self._twin.now.isoformat(),
            "gpus": self._twin.plant.site.gpus,
            "gpus_free": cluster.gpus_free,
            "flexible_gpus": cluster.gpus,
            "jobs": [self._shown(record) for record in records],
        }

    def _followed_jobs(self, follower: Follower) -> dict[str, Any]:
        """The GPUs as the followed scheduler uses them; its jobs are for itself to tell."""
        racks, gpus = self._twin.plant.racks, self._twin.plant.site.gpus
        used = 0.0 if racks.occupied is None else sum(racks.occupied[:2]) @ racks.gpus
        free = {"gpus": gpus, "gpus_free": gpus - round(float(used)), "flexible_gpus": gpus, "jobs": []}
        return {"time": self._twin.now.isoformat(), **free, **follower.shown()}

    def _shown(self, record: JobRecord) -> dict[str, Any]:
        """A job as a scheduler knows it: what it expects, not how long it will really take."""
        job, racks = record.job, self._twin.plant.site.racks
        return {
            "job_id": job.job_id,
            "name": job.name,
            "user": job.user,
            "gpus": job.gpus,
            "state": str(record.state),
            "flexible": job.flexible,
            "submitted": job.submitted.isoformat(),
            "deadline": _text(job.deadline),
            "expected_s": record.expected_s,
            "started": _text(record.started),
            "finished": _text(record.finished),
            "begin_at": record.begin_at.isoformat(),
            "work_done_s": record.work_done_s(self._twin.plant.cluster.now_s),
            "racks": [racks[index].name for index in record.placed],
        }

    def _act(self, job_id: str, verb: str, body: Mapping[str, Any]) -> dict[str, Any]:
        self._expect_own_jobs()
        cluster = self._twin.plant.cluster
        match verb:
            case "hold":
                record = cluster.hold(job_id)
            case "delay":
                record = cluster.hold(job_id, _instant(body.get("until"), "until"))
            case "release":
                record = cluster.release(job_id)
            case "suspend":
                record = cluster.suspend(job_id)
            case "resume":
                record = cluster.resume(job_id)
            case _:
                raise HttpError(HTTPStatus.NOT_FOUND, f"no action {verb!r} on a job")
        return self._shown(record)

    def _expect_own_jobs(self) -> None:
        if self._follower is not None:
            what = "the jobs are Slurm's: none can be given or moved here"
            raise HttpError(HTTPStatus.CONFLICT, what)

    async def _submit(self, request: Request) -> dict[str, Any]:
        self._expect_own_jobs()
        job = _job(request.json(), self._twin.now)
        self._twin.submit(job)
        return self._shown(self._twin.plant.cluster.get(job.job_id))

    async def _shadow(self, _request: Request) -> dict[str, Any]:
        quarters = self._twin.quarters if self._follower is None else ()
        return {
            "time": [datetime.fromtimestamp(start, UTC).isoformat() for start, _ in quarters],
            "load_w": [load_w for _, load_w in quarters],
        }

    async def _summary(self, _request: Request) -> dict[str, Any]:
        return {**summary(self._twin), **(self._follower.shown() if self._follower else {})}

    async def _active_faults(self, _request: Request) -> dict[str, Any]:
        return {"faults": self._faults.active()}

    async def _set_fault(self, request: Request) -> dict[str, Any]:
        body = request.json()
        device, fault = body.get("device"), body.get("fault")
        if not isinstance(device, str) or not isinstance(fault, str | None):
            raise HttpError(HTTPStatus.BAD_REQUEST, "give device and fault (null: none) as text")
        self._faults.set(device, fault)
        return {"faults": self._faults.active()}

    async def _checkpoint(self, _request: Request) -> dict[str, Any]:
        return {"path": str(await self._save()), "time": self._twin.now.isoformat()}


def _job(body: Mapping[str, Any], now: datetime) -> Job:
    try:
        deadline = body.get("deadline")
        job = Job(
            job_id=str(body["job_id"]),
            user=str(body.get("user", "")),
            gpus=int(body["gpus"]),
            submitted=now,
            duration_s=float(body["duration_s"]),
            deadline=_instant(deadline, "deadline") if deadline else None,
            flexible=bool(body.get("flexible", True)),
            name=str(body.get("name", "")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise HttpError(HTTPStatus.BAD_REQUEST, f"not a job ({error!r})") from error
    if not 0 < job.duration_s < float("inf"):
        raise HttpError(HTTPStatus.BAD_REQUEST, "duration_s must be a time above 0")
    return job


def _instant(text: object, name: str) -> datetime:
    words = str(text)
    try:
        # In a query a bare + means a space, and people forget to escape it.
        at = datetime.fromisoformat(words.replace(" ", "+") if "T" in words else words)
    except ValueError as error:
        raise HttpError(HTTPStatus.BAD_REQUEST, f"{name} is not an ISO time ({text!r})") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
