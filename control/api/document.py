"""The API described for programs: OpenAPI, with every answer that a route may give."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from igoudar.control.api.roles import NEEDED
from igoudar.control.schema import ErrorView

REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorView, "description": "A value that can't be used."},
    401: {"model": ErrorView, "description": "No token, or one that opens nothing."},
    403: {"model": ErrorView, "description": "The role does not allow it."},
    404: {"model": ErrorView, "description": "No such thing."},
    405: {"model": ErrorView, "description": "Not served with this method."},
    409: {"model": ErrorView, "description": "A command that was not carried out."},
    413: {"model": ErrorView, "description": "The body is too long, or does not say its length."},
    415: {"model": ErrorView, "description": "The body is not JSON."},
    421: {"model": ErrorView, "description": "This host name is not served here."},
    422: {"model": ErrorView, "description": "The body or a parameter is not as declared."},
    429: {"model": ErrorView, "description": "Too many calls; Retry-After says when to try again."},
    500: {"model": ErrorView, "description": "An internal fault; the log has it."},
    503: {"model": ErrorView, "description": "Something that is needed does not answer yet."},
}


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, with the role that each operation needs."""
    document = get_openapi(title=app.title, version=app.version, routes=app.routes)
    schemes = document.setdefault("components", {}).setdefault("securitySchemes", {})
    schemes["token"] = {"type": "http", "scheme": "bearer"}
    for (method, declared), role in NEEDED.items():
        operation = document["paths"].get(declared.replace(":path", ""), {}).get(method.lower())
        if operation is not None and role is not None:
            operation["security"] = [{"token": []}]
            operation["x-role"] = role.word
    return document
