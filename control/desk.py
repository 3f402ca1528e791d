"""What the loop publishes and the API reads: the latest scene and its documents, built once each."""

from collections.abc import Callable, Mapping

from pydantic import BaseModel

from igoudar.control.scene import Scene
from igoudar.control.views.alarms import alarms
from igoudar.control.views.devices import devices
from igoudar.control.views.jobs import jobs
from igoudar.control.views.overview import overview
from igoudar.control.views.plan import plan
from igoudar.control.views.racks import halls
from igoudar.control.views.status import status
from igoudar.core.errors import LinkError
from igoudar.core.said import said

BUILDERS: Mapping[str, Callable[[Scene], BaseModel]] = {
    "overview": overview,
    "halls": halls,
    "alarms": alarms,
    "jobs": jobs,
    "plan": plan,
    "devices": devices,
    "status": status,
}


class Desk:
    """The latest scene; a document is built when first asked for and kept until the next scene."""

    def __init__(self) -> None:
        self._scene: Scene | None = None
        self._documents: dict[str, bytes] = {}

    def publish(self, scene: Scene) -> None:
        """Replace the scene; documents of the last one are forgotten."""
        self._scene = scene
        self._documents.clear()

    @property
    def scene(self) -> Scene:
        """The latest scene.

        Raises:
            LinkError: before the first cycle has ended.
        """
        if self._scene is None:
            raise said(LinkError, "refusal.not_yet")
        return self._scene

    def document(self, name: str) -> bytes:
        """One document as JSON."""
        found = self._documents.get(name)
        if found is None:
            found = self._documents[name] = BUILDERS[name](self.scene).model_dump_json().encode()
        return found
