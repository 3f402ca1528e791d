"""24. One writer: epoch and deadline of the lease are checked just before each write; zero late writes."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from igoudar.control.lease.file import FileLease
from tests.collectors.rigs import image
from tests.peers.postgres import Server, postgres

from .plant import INVERTER, SHOWN
from .recorder import Recorder, Telegram, recording

WAIT_S = 60.0
ROOT = Path(__file__).resolve().parents[2]
VALUES = {"a": 10.0, "b": 60.0}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgres() as running:
        yield running


@dataclass
class Host:
    """Two processes: one that owns the wire, one that wants to write."""

    name: str
    state: Path
    collect: "subprocess.Popen[str]"
    control: "subprocess.Popen[str]"

    def tries(self) -> int:
        return len((self.state / "tries").read_text().splitlines())

    def signal(self, number: int, *, whole: bool) -> None:
        for process in (self.control, self.collect) if whole else (self.control,):
            process.send_signal(number)


@dataclass
class Wire:
    """Every write that reached the plant, in order, with the host that sent it."""

    writes: list[tuple[str, Telegram]] = field(default_factory=list)

    def listen(self, host: str, recorder: Recorder) -> None:
        async def seen(telegram: Telegram) -> None:
            if telegram.writes:
                self.writes.append((host, telegram))

        recorder.before_answer = seen

    def hosts(self) -> list[str]:
        return [host for host, _ in self.writes]


def start(stack: ExitStack, name: str, state: Path, port: int, url_file: Path) -> Host:
    state.mkdir()
    rival = [sys.executable, "-m", "tests.safety.rival"]
    said = stack.enter_context((state / "tries").open("w"))
    log = stack.enter_context((state / "log").open("w"))
    collect = subprocess.Popen([*rival, "collect", str(state), str(port)], stderr=log, cwd=ROOT, text=True)
    command = [*rival, "control", str(state), str(url_file), str(VALUES[name])]
    control = subprocess.Popen(command, stdout=said, stderr=log, cwd=ROOT, text=True)
    for process in (collect, control):
        stack.callback(process.wait)
        stack.callback(process.kill)
    return Host(name, state, collect, control)


async def until(holds: Callable[[], bool], *hosts: Host) -> None:
    try:
        async with asyncio.timeout(WAIT_S):
            while not holds():
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError([(host.state / "log").read_text()[-2000:] for host in hosts]) from None


async def rounds(server: Server, folder: Path, count: int, *, whole: bool) -> None:
    """Whoever writes is stopped, the other takes over, the first goes on: `count` times."""
    wire, units = Wire(), {1: image(INVERTER, SHOWN["inverter"])}
    async with AsyncExitStack() as servers:
        recorders = {name: await servers.enter_async_context(recording(units)) for name in "ab"}
        recorders["b"].units = recorders["a"].units  # one plant, two wires
        url_file = server.create(folder)
        with ExitStack() as stack:
            hosts: dict[str, Host] = {}
            for name, recorder in recorders.items():
                wire.listen(name, recorder)
                hosts[name] = start(stack, name, folder / name, recorder.port, url_file)
            await until(lambda: len(wire.writes) > 3, *hosts.values())
            for _ in range(count):
                await one_takeover(wire, hosts, whole=whole)


async def one_takeover(wire: Wire, hosts: dict[str, Host], *, whole: bool) -> None:
    writer = hosts[wire.hosts()[-1]]
    other = hosts["b" if writer.name == "a" else "a"]
    assert set(wire.hosts()) <= {writer.name, other.name}
    writer.signal(signal.SIGSTOP, whole=whole)
    seen = len(wire.writes)
    await until(lambda: other.name in wire.hosts()[seen:], *hosts.values())
    taken = seen + wire.hosts()[seen:].index(other.name)
    tried = writer.tries()
    writer.signal(signal.SIGCONT, whole=whole)
    await until(lambda: writer.tries() > tried + 10 and len(wire.writes) > taken + 20, *hosts.values())
    late = [telegram for host, telegram in wire.writes[taken:] if host == writer.name]
    assert late == []


@pytest.mark.parametrize("whole", [False, True], ids=["control stopped", "host stopped"])
async def test_line_24_a_writer_that_was_stopped_and_goes_on_writes_nothing_late(
    server: Server, tmp_path: Path, whole: bool
) -> None:
    await rounds(server, tmp_path, 1, whole=whole)


@pytest.mark.soak
@pytest.mark.parametrize("whole", [False, True], ids=["control stopped", "host stopped"])
async def test_line_24_twenty_times(server: Server, tmp_path: Path, whole: bool) -> None:
    await rounds(server, tmp_path, 20, whole=whole)


def test_line_24_on_one_host_a_file_lock_lets_one_control_write(tmp_path: Path) -> None:
    first, second = FileLease(tmp_path), FileLease(tmp_path)
    assert first.take()
    assert not second.take()
    assert not second.held()
    first.close()
    assert second.take()
    assert second.epoch > first.epoch
    second.close()
