import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from igoudar.app.parts import Part, Supervisor
from igoudar.core.errors import ConfigError

PATIENCE_S = 20
WAITER = [sys.executable, "-c", "import signal; signal.pause()"]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    return tmp_path


async def pid_of(state: Path, name: str, *, other_than: int | None = None) -> int:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                pid = json.loads((state / "parts.json").read_text())[name]["pid"]
            except FileNotFoundError:
                pid = None
            if pid and pid != other_than:
                return int(pid)
            await asyncio.sleep(0.02)


async def test_a_killed_part_is_restarted_and_told(state: Path) -> None:
    told: list[dict[str, object]] = []
    until = asyncio.Event()
    supervisor = Supervisor([Part("one", WAITER)], state, lambda code, **params: told.append(params))
    running = asyncio.create_task(supervisor.run(until))
    first = await pid_of(state, "one")
    os.kill(first, signal.SIGKILL)
    second = await pid_of(state, "one", other_than=first)
    until.set()
    await running
    assert told[0]["part"] == "one"
    assert told[0]["exit"] == -signal.SIGKILL
    with pytest.raises(ProcessLookupError):
        os.kill(second, 0)


async def test_parts_stop_in_reverse_order(state: Path) -> None:
    script = (
        "import signal, sys, time\n"
        "def end(*_):\n"
        "    open(sys.argv[1], 'a').write(sys.argv[2] + ' ')\n"
        "    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "open(sys.argv[1] + sys.argv[2], 'w').close()\n"
        "signal.pause()\n"
    )
    order = state / "order"
    parts = [Part(name, [sys.executable, "-c", script, str(order), name]) for name in ("a", "b", "c")]
    until = asyncio.Event()
    running = asyncio.create_task(Supervisor(parts, state, lambda *_, **__: None).run(until))
    async with asyncio.timeout(PATIENCE_S):
        while not all((state / f"order{name}").exists() for name in ("a", "b", "c")):
            await asyncio.sleep(0.02)
    until.set()
    await running
    assert order.read_text().split() == ["c", "b", "a"]
    states = {name: part["state"] for name, part in json.loads((state / "parts.json").read_text()).items()}
    assert states == {"a": "stopped", "b": "stopped", "c": "stopped"}


async def test_a_part_that_can_not_work_as_configured_stops_all_with_its_own_words(state: Path) -> None:
    script = "import sys; print('igoudar: seeds/x.toml: no such site', file=sys.stderr); sys.exit(2)"
    parts = [Part("good", WAITER), Part("bad", [sys.executable, "-c", script])]
    with pytest.raises(ConfigError, match="no such site"):
        await Supervisor(parts, state, lambda *_, **__: None).run(asyncio.Event())
    assert parts[0].process is not None
    assert parts[0].process.returncode is not None


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux only")
def test_no_orphan_when_the_supervisor_is_killed() -> None:
    child = (
        "from igoudar.core.orphan import die_with_parent\n"
        "import os, signal\n"
        "die_with_parent()\n"
        "print(os.getpid(), flush=True)\n"
        "signal.pause()\n"
    )
    parent = (
        "import subprocess, sys, signal\n"
        "subprocess.Popen([sys.executable, '-c', sys.argv[1]], start_new_session=True)\n"
        "signal.pause()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", parent, child], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        orphan = int(process.stdout.readline())
        process.kill()
        # The pipe ends only when the last process that holds it is gone.
        assert process.stdout.read() == ""
    assert not Path(f"/proc/{orphan}/cmdline").exists() or not Path(f"/proc/{orphan}/cmdline").read_bytes()
