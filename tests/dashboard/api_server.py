"""A real HTTP server on loopback that answers with the API's documents and remembers actions."""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from igoudar.control.people.oidc import SignedTokens
from igoudar.control.people.roles import Person, Role
from igoudar.control.schema import Document
from tests.dashboard import control_documents, documents

VIEWER, OPERATOR = "viewer-token", "operator-token"


@dataclass
class ApiServer:
    """Serves until stopped; can be stopped and started again on its port, as a control process may be."""

    document: Callable[[str], Document | None]
    port: int = 0
    actions: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    overrides: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    signed: SignedTokens | None = None  # whose signed tokens are believed, by the product's own check
    names: list[str] = field(default_factory=list)  # who acted, by a signed token
    _server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), type("Bound", (Handler,), {"api": self}))
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def body(self, path: str) -> Any:
        made = control_documents.DOCUMENTS.get(path.removeprefix("/v1/"))
        if made is not None:
            return _shown(made(), self.overrides.get(path, {}))
        document = self.document(path)
        return None if document is None else _shown(document, self.overrides.get(path, {}))


def _shown(made: Document | Sequence[Document], changes: Mapping[str, Any]) -> Any:
    if isinstance(made, Sequence):
        return [one.model_dump(mode="json") for one in made]
    return {**made.model_dump(mode="json"), **changes}


def refusal(what: str) -> dict[str, str]:
    return {"what": what, "where": "", "fix": "ask who runs the site for a token of yours"}


class Handler(BaseHTTPRequestHandler):
    api: ApiServer

    def do_GET(self) -> None:
        body = self.api.body(self.path.partition("?")[0])
        person = self._person()
        if person is not None and self.path == "/v1/whoami":
            self._answer(200, {"name": person.name, "role": person.role.word})
        elif person is None and self._token() not in (VIEWER, OPERATOR):
            self._answer(401, refusal("this token is not known"))
        elif body is None:
            self._answer(404, refusal("no such thing"))
        else:
            self._answer(200, body)

    def do_POST(self) -> None:
        sent = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        person = self._person()
        if self._token() != OPERATOR and (person is None or person.role < Role.OPERATOR):
            self._answer(403, refusal("a viewer may not act"))
            return
        self.api.names += [person.name] if person else []
        self.api.actions.append((self.path, sent))
        self._answer(200, self._done())

    def _done(self) -> dict[str, Any]:
        if self.path.endswith("/acknowledge"):
            return documents.alarms().alarms[0].model_dump(mode="json")
        answers: dict[str, Callable[[], Document]] = {
            "mode": control_documents.mode,
            "handsoff": control_documents.hands_off,
            "events": control_documents.event,
        }
        words = self.path.split("/")
        if words[2] in answers:
            return answers[words[2]]().model_dump(mode="json")
        if words[2] == "proposals":
            made = control_documents.outcome() if words[-1] == "approve" else control_documents.proposals()[0]
            return made.model_dump(mode="json")
        if words[2] == "overrides":
            return control_documents.overrides()[0].model_dump(mode="json")
        return {
            "at": "2026-06-17T10:20:00Z",
            "who": "operator",
            "verb": self.path.rpartition("/")[2],
            "target": self.path.split("/")[3],
            "before": None,
            "after": None,
            "reason": {"code": "test.none", "params": {}, "english": "asked"},
            "result": "done",
            "config_version": "1",
        }

    def _person(self) -> Person | None:
        return self.api.signed.person(self._token()) if self.api.signed else None

    def _token(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")

    def _answer(self, status: int, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Tests are quiet."""
