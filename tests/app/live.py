"""A whole site under `igoudar up`, as its operator starts it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from igoudar.control.client import ApiClient

PATIENCE_S = 60
IGOUDAR = str(Path(sys.executable).with_name("igoudar"))


@dataclass(frozen=True, slots=True)
class Live:
    """A running site: its process, its folder, its addresses."""

    process: subprocess.Popen[str]
    state: Path
    api_url: str
    page_url: str

    def api(self) -> ApiClient:
        """A client with the operator's token."""
        return ApiClient(self.api_url, (self.state / "token").read_text().strip())

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the command line against this site."""
        return subprocess.run(
            [IGOUDAR, *words],
            env={**os.environ, "IGOUDAR_STATE": str(self.state)},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def parts(self) -> dict[str, dict[str, Any]]:
        """What the supervisor says of its parts."""
        found: dict[str, dict[str, Any]] = json.loads((self.state / "parts.json").read_text())
        return found


@contextmanager
def up(state: Path, *options: str) -> Iterator[Live]:
    """Start `igoudar up` and stop it with Ctrl-C."""
    with (state.parent / f"{state.name}.stderr").open("w") as errors:
        process = subprocess.Popen(
            [IGOUDAR, "up", "--state", str(state), "--api-port", "0", "--dashboard-port", "0", *options],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, "IGOUDAR_LANG": "en"},
        )
    try:
        yield Live(process, state, *_addresses(process))
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE_S)


def _addresses(process: subprocess.Popen[str]) -> tuple[str, str]:
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if "Ctrl-C" in line:
            urls = re.findall(r"http://127\.0\.0\.1:\d+", said)
            return urls[1], urls[0]
    raise AssertionError(f"igoudar up ended without its addresses: {said}")


def wait_until(what: str, condition: Any, patience_s: float = PATIENCE_S) -> Any:
    """Poll `condition` until it is true; its value."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {patience_s} s")
