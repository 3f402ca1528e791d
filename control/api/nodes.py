"""Routes about the power of the scheduler's nodes."""

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from fastapi import FastAPI, Request
from pydantic import Field

from igoudar.control.actuation.schedulers import Node
from igoudar.control.api.bodies import Body
from igoudar.control.nodes import Nodes, unfit
from igoudar.control.schema_hands import NodeView, OutcomeView, PreviewView
from igoudar.control.text import text
from igoudar.control.views.hands import outcome_view, preview_view

Verb = Literal["power-down", "power-up"]


class NodeBody(Body):
    """Why a node is powered."""

    reason: str = Field(min_length=1, max_length=500)


def add_nodes(app: FastAPI, nodes: Nodes, now: Callable[[], datetime]) -> None:
    """List, look before, power."""

    @app.get("/v1/nodes")
    async def listed() -> list[NodeView]:
        return [_view(node) for node in await nodes.listed()]

    @app.post("/v1/nodes/{name}/{verb}/preview")
    async def preview_node(name: str, verb: Verb, body: NodeBody, request: Request) -> PreviewView:
        command, node = await nodes.wish(name, verb, request.state.who, body.reason, now())
        found, why = preview_view(nodes.executor, command, now()), unfit(node, command.point)
        refusal = found.refusal or (text(f"guard.{why}") if why else None)
        return found.model_copy(update={"refusal": refusal})

    @app.post("/v1/nodes/{name}/{verb}")
    async def power(name: str, verb: Verb, body: NodeBody, request: Request) -> OutcomeView:
        return outcome_view(await nodes.act(name, verb, request.state.who, body.reason, now()))


def _view(node: Node) -> NodeView:
    return NodeView(
        name=node.name, state=node.state, gpus=node.gpus, may_power_down=node.idle_and_drained, off=node.off
    )
