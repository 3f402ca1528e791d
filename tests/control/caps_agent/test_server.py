"""The agent as a process of its own, over mutual TLS, on the stand-in for NVML."""

import asyncio
import json
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.peers.authority import Authority
from tests.peers.nvml import VARIABLE, Node

from igoudar.control.caps_agent.book import NAME

CONFIG = """
listen = "127.0.0.1:0"
certificate = "{folder}/agent.pem"
key = "{folder}/agent.key"
client_ca = "{folder}/ca.pem"
clients = ["igoudar-control"]
state = "{folder}/state"
minimum = "500 W"
maximum = "1100 W"
default = "1 kW"
verify = "1s"
"""
BODY = {"command_id": "c1", "limit_w": 700, "life_s": 600}
WAIT_S = 20.0


class Agent:
    """Certificates, the file and the process."""

    def __init__(self, folder: Path, library: Path, node: Node) -> None:
        self.folder, self.node = folder, node
        self.authority = Authority(folder)
        self.authority.issue("agent")
        self.authority.issue("igoudar-control")
        self.authority.issue("somebody")
        (folder / "agent.toml").write_text(CONFIG.format(folder=folder))
        self._environment = {**os.environ, VARIABLE: str(node.file), "LD_LIBRARY_PATH": str(library.parent)}
        self.port = 0
        self.ends_by = signal.SIGTERM

    @contextmanager
    def running(self) -> Iterator["Agent"]:
        """From the line that says where it listens to a clean stop."""
        command = (
            sys.executable,
            "-m",
            "igoudar.app.main",
            "cap-agent",
            "--config",
            self.folder / "agent.toml",
        )
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self._environment
        ) as process:
            try:
                assert process.stdout is not None
                line = process.stdout.readline()
                assert "listens" in line, process.stderr.read() if process.stderr else ""
                self.port = int(line.rsplit(" ", 1)[1].rstrip(".\n"))
                yield self
            finally:
                process.send_signal(self.ends_by)
                process.wait(WAIT_S)
                self.said = process.stderr.read() if process.stderr else ""

    def client(self, name: str = "igoudar-control") -> httpx.Client:
        context = ssl.create_default_context(cafile=self.folder / "ca.pem")
        if name:
            context.load_cert_chain(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        return httpx.Client(base_url=f"https://127.0.0.1:{self.port}", verify=context, trust_env=False)


@pytest.fixture
def agent(tmp_path: Path, library: Path, node: Node) -> Agent:
    return Agent(tmp_path, library, node)


def test_caps_are_got_and_set_and_every_answer_reads_back(agent: Agent, node: Node) -> None:
    with agent.running(), agent.client() as client:
        shown = client.get("/v1/caps").json()
        assert [gpu["limit_w"] for gpu in shown["gpus"]] == [1200.0, 1200.0]
        assert shown["driver"] == "570.86.15-standin"
        answer = client.put("/v1/caps/all", json=BODY)
        assert (answer.status_code, answer.json()["result"]) == (200, {"kind": "Success", "value": 700.0})
        assert [gpu["limit_w"] for gpu in answer.json()["gpus"]] == [700.0, 700.0]
        assert answer.json()["gpus"][0]["cap"]["command_id"] == "c1"
        assert node.limits_w == [700.0, 700.0]
    assert node.limits_w == [1000.0, 1000.0]  # a clean stop gives them back
    assert "Traceback" not in agent.said


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "said"),
    [
        ("PUT", "/v1/caps/all", {**BODY, "limit_w": 100}, 422, {"minimum": 500.0, "maximum": 1100.0}),
        ("PUT", "/v1/caps/9", BODY, 409, {"reason": "unknown_gpu"}),
        ("PUT", "/v1/caps/all", {**BODY, "life_s": 1e6}, 409, {"reason": "life_too_long"}),
        ("PUT", "/v1/caps/all", {**BODY, "watts": 1}, 400, "unknown_key"),
        ("PUT", "/v1/caps/all", "no object", 400, "not_json"),
        ("PUT", "/v1/caps", BODY, 405, "get_all_or_put_one"),
        ("DELETE", "/v1/caps/all", None, 405, "get_all_or_put_one"),
        ("POST", "/v1/caps/all", BODY, 405, "get_all_or_put_one"),
        ("GET", "/v1/capsules", None, 404, "no_such_path"),
        ("GET", "/", None, 404, "no_such_path"),
        ("PUT", "/v1/caps/all", "x" * 20_000, 413, "body_too_large"),
    ],
)
def test_bad_input_has_a_status_and_a_name(
    agent: Agent, method: str, path: str, body: object, status: int, said: Any
) -> None:
    with agent.running(), agent.client() as client:
        answer = client.request(method, path, json=body)
        document = answer.json()
        assert answer.status_code == status
        if "error" in document:
            assert document["error"]["code"] == said
        else:
            assert document["result"].items() >= said.items()
        assert client.get("/v1/caps").status_code == 200
    assert "Traceback" not in agent.said


def test_no_certificate_no_answer_and_a_name_that_is_not_pinned_is_refused(agent: Agent, node: Node) -> None:
    with agent.running():
        with agent.client("") as nobody, pytest.raises(httpx.HTTPError):
            nobody.get("/v1/caps")
        with agent.client("somebody") as somebody:
            answer = somebody.put("/v1/caps/all", json=BODY)
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "name_not_pinned")
    assert node.limits_w == [1200.0, 1200.0]
    assert "a client was refused: somebody" in agent.said


async def test_what_is_no_http_gets_a_typed_answer(agent: Agent) -> None:
    with agent.running():
        context = ssl.create_default_context(cafile=agent.folder / "ca.pem")
        context.load_cert_chain(agent.folder / "igoudar-control.pem", agent.folder / "igoudar-control.key")
        reader, writer = await asyncio.open_connection("127.0.0.1", agent.port, ssl=context)
        writer.write(b"SSH-2.0-OpenSSH\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), WAIT_S)
        writer.close()
        assert answer.startswith(b"HTTP/1.1 400")
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "not_http"
    assert "Traceback" not in agent.said


def test_a_driver_that_does_not_answer_is_told(agent: Agent, node: Node) -> None:
    node.driver("gone")
    with agent.running(), agent.client() as client:
        answer = client.get("/v1/caps")
        assert (answer.status_code, answer.json()["error"]["code"]) == (502, "driver_not_loaded")


def test_a_cap_ends_in_time_although_the_agent_was_killed_meanwhile(agent: Agent, node: Node) -> None:
    agent.ends_by = signal.SIGKILL
    with agent.running(), agent.client() as client:
        assert client.put("/v1/caps/all", json={**BODY, "life_s": 3}).status_code == 200
    assert node.limits_w == [700.0, 700.0]
    agent.ends_by = signal.SIGTERM
    with agent.running():
        deadline = time.monotonic() + WAIT_S
        while node.limits_w != [1000.0, 1000.0]:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_what_was_promised_is_on_disk_before_it_is_done(agent: Agent, node: Node) -> None:
    with agent.running(), agent.client() as client:
        client.put("/v1/caps/all", json=BODY)
        kept = json.loads((agent.folder / "state" / NAME).read_text())
        assert {cap["limit_w"] for cap in kept["caps"].values()} == {700.0}


def test_check_reads_and_sets_nothing(agent: Agent, node: Node) -> None:
    command = (sys.executable, "-m", "igoudar.app.main", "cap-agent", "--config", agent.folder / "agent.toml")
    done = subprocess.run(
        (*command, "--check", "--lang", "en"),
        capture_output=True,
        text=True,
        env=agent._environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "GPU 0, NVIDIA-GB200: limit 1.2 kW, may be 400 W to 1.2 kW." in done.stdout
    done = subprocess.run(
        (*command, "--check", "--json"), capture_output=True, text=True, env=agent._environment, check=True
    )
    assert [gpu["limit_w"] for gpu in json.loads(done.stdout)["gpus"]] == [1200.0, 1200.0]
    assert node.limits_w == [1200.0, 1200.0]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('minimum = "500 W"', 'minimum = "2 kW"', "minimum"),
        ('default = "1 kW"', 'default = "50 W"', "default"),
        ("agent.key", "nowhere.key", "TLS file"),
        ("verify", "verifie", "verify"),
        ('clients = ["igoudar-control"]', "clients = []", "clients"),
    ],
)
def test_a_wrong_file_is_one_line_and_exit_code_2(agent: Agent, old: str, new: str, words: str) -> None:
    path = agent.folder / "agent.toml"
    path.write_text(path.read_text().replace(old, new))
    command = (sys.executable, "-m", "igoudar.app.main", "cap-agent", "--config", path)
    done = subprocess.run(command, capture_output=True, text=True, env=agent._environment, check=False)
    assert done.returncode == 2
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
