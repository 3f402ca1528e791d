"""The simulated cluster's own API, for tests that give it jobs and pause them."""

from datetime import datetime, timedelta
from typing import Any

import httpx

from igoudar.control.failsafe.suspended import SuspendedJobs
from tests.app.apart import Apart
from tests.app.live import wait_until


class Cluster:
    """The simulated cluster's own API."""

    def __init__(self, parts: Apart) -> None:
        self._parts = parts
        wait_until("a cluster", (parts.state / "endpoints.json").exists)

    def ask(self, method: str, path: str, **body: object) -> Any:
        with httpx.Client(timeout=10, trust_env=False) as http:
            url = self._parts.endpoints()["scheduler"] + path
            return http.request(method, url, **({"json": body} if body else {})).json()

    def run_job(self, job_id: str) -> None:
        """A job of one GPU that runs for a day."""
        self.ask("POST", "/v1/submit", job_id=job_id, gpus=1, duration_s=86_400.0, flexible=False)
        wait_until(f"{job_id} runs", lambda: self.state(job_id) == "running")

    def pause(self, job_id: str, life: timedelta) -> datetime:
        """What control does: first the promise, then the pause."""
        now = self._parts.clock.now()
        SuspendedJobs(self._parts.state).note(job_id, now, now + life)
        assert self.ask("POST", f"/v1/jobs/{job_id}/suspend", x=1)["state"] == "suspended"
        return now + life

    def state(self, job_id: str) -> str:
        jobs = {job["job_id"]: job["state"] for job in self.ask("GET", "/v1/jobs")["jobs"]}
        return str(jobs.get(job_id))
