"""What a person's wish for a job would change; nothing is done."""

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException

from igoudar.control.api.bodies import JobBody
from igoudar.control.operator import VERBS, Operator
from igoudar.control.schema_hands import PreviewView
from igoudar.control.views.hands import preview_view


def add_job_previews(app: FastAPI, operator: Operator, now: Callable[[], datetime]) -> None:
    """Old, new, end and effect of a verb."""

    @app.post("/v1/jobs/{job_id:path}/{verb}/preview")
    async def preview_job(job_id: str, verb: str, body: JobBody, request: Request) -> PreviewView:
        if verb not in VERBS:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        who = request.state.who
        command = await operator.wish(job_id, verb, who, body.reason, now(), body.until)
        return preview_view(operator.executor, command, now())
