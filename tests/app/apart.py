"""The parts of a site as processes of their own, without a supervisor that would restart them."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from igoudar.control.client import ApiClient
from igoudar.core.clock import SiteClock
from igoudar.core.errors import IgoudarError
from tests.app.live import IGOUDAR, PATIENCE_S, wait_until

RUN_ID = "apart"
MAIN = (sys.executable, "-m", "igoudar.app.main")
OPTIONS = {
    "simulate": ("--speed", "60"),
    "control": ("--api-port", "0"),
    "collect": (),
    "failsafe": (),
}
WITH_RUN_ID = ("simulate", "collect", "control")


@dataclass(slots=True)
class Apart:
    """One site's parts; each is started, killed and started again by hand."""

    state: Path
    site: str = "jazari-lab"
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, *names: str, options: tuple[str, ...] | None = None) -> None:
        for name in names:
            words = [*(OPTIONS[name] if options is None else options)]
            words += ["--run-id", RUN_ID] if name in WITH_RUN_ID else []
            self.state.mkdir(mode=0o700, exist_ok=True)
            with (self.state.parent / f"{name}.log").open("ab") as log:
                self.running[name] = subprocess.Popen(
                    [*MAIN, name, self.site, "--state", str(self.state), *words],
                    stdout=log,
                    stderr=log,
                )

    def end(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        process = self.running.pop(name)
        process.send_signal(number)
        process.wait(timeout=PATIENCE_S)

    def lives(self, name: str) -> bool:
        return name in self.running and self.running[name].poll() is None

    @property
    def clock(self) -> SiteClock:
        return SiteClock.load(self.state / "clock.json")

    def endpoints(self) -> dict[str, str]:
        document = json.loads((self.state / "endpoints.json").read_text())
        return {**document["devices"], "scheduler": document["scheduler"]}

    def api(self) -> ApiClient:
        url = json.loads((self.state / "api.json").read_text())["url"]
        return ApiClient(url, (self.state / "token").read_text().strip())

    def controlled(self) -> None:
        """Return when control has seen every device."""

        def all_answer() -> bool:
            with suppress(OSError, ValueError, IgoudarError):
                with self.api() as api:
                    status = api.status()
                return status.first_good_at is not None and status.devices_answering == status.devices
            return False

        wait_until("all devices under control", all_answer)

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [IGOUDAR, *words],
            env={**os.environ, "IGOUDAR_STATE": str(self.state), "IGOUDAR_LANG": "en"},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )


@contextmanager
def apart(state: Path, site: str = "jazari-lab") -> Iterator[Apart]:
    """Parts that are all ended in the end, the last one started first."""
    parts = Apart(state, site)
    try:
        yield parts
    finally:
        for name in reversed(list(parts.running)):
            parts.end(name, signal.SIGTERM)
