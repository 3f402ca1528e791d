"""The simulated cluster, over its HTTP API on loopback."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx

from igoudar.control.actuation.schedulers import Queue, QueuedJob
from igoudar.core.errors import CommandError, LinkError
from igoudar.core.model import JobState

TIMEOUT_S = 3.0
REFUSED = 400


class SimulatedScheduler:
    """Speaks to the cluster at `address()`, asked for each call since a restarted cluster may move."""

    def __init__(self, address: Callable[[], str]) -> None:
        self._address = address
        self._http = httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False)

    async def close(self) -> None:
        """Release the connections."""
        await self._http.aclose()

    async def queue(self, finished_since: datetime | None = None) -> Queue:
        """Waiting and running jobs, and those finished since a time."""
        params = {"since_finished": finished_since.isoformat()} if finished_since else {}
        return _queue(await self._call("GET", "/v1/jobs", params=params))

    async def delay(self, job_id: str, until: datetime) -> None:
        """Let the job start by itself at `until`."""
        await self._act(job_id, "delay", {"until": until.isoformat()})

    async def release(self, job_id: str) -> None:
        """Let the job start as soon as its GPUs are free."""
        await self._act(job_id, "release")

    async def suspend(self, job_id: str) -> None:
        """Stop the job where it stands; its work is kept."""
        await self._act(job_id, "suspend")

    async def resume(self, job_id: str) -> None:
        """Go on with a suspended job."""
        await self._act(job_id, "resume")

    async def run_now_load(self) -> Sequence[tuple[datetime, float]]:
        """Campus load of the shadow where nothing is moved, mean per 15-min step [W]."""
        document = await self._call("GET", "/v1/shadow")
        pairs = zip(document["time"], document["load_w"], strict=True)
        return [(datetime.fromisoformat(at), float(load_w)) for at, load_w in pairs if load_w is not None]

    async def _act(self, job_id: str, verb: str, body: Mapping[str, str] | None = None) -> None:
        await self._call("POST", f"/v1/jobs/{quote(job_id, safe='')}/{verb}", json=dict(body or {}))

    async def _call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        url = self._address() + path
        try:
            answer = await self._http.request(method, url, **options)
            document: dict[str, Any] = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise LinkError(
                f"the scheduler does not answer ({type(error).__name__})",
                where=url,
                fix="it is restarted by the supervisor; `igoudar status` shows its state",
            ) from error
        if answer.status_code >= REFUSED:
            raise CommandError(
                f"the scheduler refused: {document.get('error', answer.status_code)}", where=path
            )
        return document


def _queue(document: Mapping[str, Any]) -> Queue:
    try:
        return Queue(
            datetime.fromisoformat(document["time"]),
            int(document["gpus"]),
            int(document["gpus_free"]),
            int(document.get("flexible_gpus", document["gpus"])),
            tuple(_job(job) for job in document["jobs"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise LinkError(
            f"the scheduler's list of jobs can't be read ({error!r})", where="/v1/jobs"
        ) from error


def _job(document: Mapping[str, Any]) -> QueuedJob:
    return QueuedJob(
        job_id=str(document["job_id"]),
        name=str(document.get("name") or document["job_id"]),
        user=str(document.get("user", "")),
        gpus=int(document["gpus"]),
        state=JobState(document["state"]),
        flexible=bool(document["flexible"]),
        submitted=datetime.fromisoformat(document["submitted"]),
        expected_s=float(document["expected_s"]),
        deadline=_time(document.get("deadline")),
        started=_time(document.get("started")),
        finished=_time(document.get("finished")),
        begin_at=_time(document.get("begin_at")),
        work_done_s=float(document.get("work_done_s") or 0.0),
        racks=tuple(document.get("racks") or ()),
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
