"""How Slurm's programs are run; stand-ins play those that hang, fail and talk too much."""

import asyncio
from pathlib import Path
from typing import cast

import psutil
import pytest

from igoudar.control.actuation.schedulers.slurm import program, verbs
from igoudar.control.actuation.schedulers.slurm.program import Programs
from igoudar.core.errors import CommandError, LinkError


def programs(folder: Path, script: str, timeout_s: float = 5.0) -> Programs:
    """Programs of which squeue and scontrol are this shell script."""
    for name in ("squeue", "scontrol"):
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return Programs(str(folder / "slurm.conf"), str(folder), timeout_s)


def living(folder: Path) -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if str(folder) in " ".join(child.cmdline())]


async def test_a_program_that_hangs_is_ended_and_told(tmp_path: Path) -> None:
    with pytest.raises(LinkError, match=r"no answer within 0\.3 s"):
        await programs(tmp_path, "exec sleep 60", 0.3).run(verbs.JOBS)
    assert not living(tmp_path)


async def test_who_is_cancelled_leaves_no_program_behind(tmp_path: Path) -> None:
    call = asyncio.create_task(programs(tmp_path, "touch $(dirname $0)/began; sleep 60").run(verbs.JOBS))
    async with asyncio.timeout(10):
        while not (tmp_path / "began").exists():
            await asyncio.sleep(0.01)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert not living(tmp_path)


async def test_a_program_sees_utc_full_task_lists_and_nothing_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IGOUDAR_TOKEN_FILE", "/secret")
    said = (await programs(tmp_path, "env").run(verbs.JOBS)).decode()
    assert {"TZ=UTC", "SLURM_BITSTR_LEN=0", f"SLURM_CONF={tmp_path}/slurm.conf"} <= set(said.split())
    assert "IGOUDAR" not in said


@pytest.mark.parametrize(
    "said",
    [
        "slurm_load_jobs error: Unable to contact slurm controller (connect failure)",
        "slurm_update error: Socket timed out on send/recv operation",
        "error: Munge encode failed: Failed to access socket",
    ],
)
async def test_a_slurm_that_is_away_is_a_fault_of_the_link(tmp_path: Path, said: str) -> None:
    with pytest.raises(LinkError) as fault:
        await programs(tmp_path, f"echo '{said}' >&2; exit 1").run(verbs.suspend("7"))
    assert fault.value.retryable


async def test_who_may_not_is_told_what_to_change(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="SlurmUser"):
        await programs(tmp_path, "echo 'Access/permission denied' >&2; exit 1").run(verbs.suspend("7"))


async def test_what_a_program_says_steers_no_terminal(tmp_path: Path) -> None:
    with pytest.raises(CommandError) as refused:
        await programs(tmp_path, r"printf 'no job \033[31mred\033[0m\n' >&2; exit 1").run(verbs.suspend("7"))
    assert "\x1b" not in str(refused.value)
    assert "no job ?[31mred" in str(refused.value)


async def test_no_more_than_four_programs_run_at_once(tmp_path: Path) -> None:
    script = "d=$(dirname $0); touch $d/on.$$; ls $d | grep -c '^on' >> $d/most; sleep 0.05; rm $d/on.$$"
    slurm = programs(tmp_path, script)
    await asyncio.gather(*(slurm.run(verbs.JOBS) for _ in range(20)))
    assert max(map(int, (tmp_path / "most").read_text().split())) <= 4


async def test_a_file_that_is_no_program_is_a_fault_of_the_link(tmp_path: Path) -> None:
    found = programs(tmp_path, "true")
    (tmp_path / "squeue").write_bytes(b"\x7fELF")
    with pytest.raises(LinkError, match="can't be run"):
        await found.run(verbs.JOBS)


class Unkillable:
    """A program that hangs in the kernel."""

    returncode = None

    def __init__(self) -> None:
        self.closed = False
        self._transport = self

    def kill(self) -> None:
        """Has no effect."""

    def close(self) -> None:
        self.closed = True

    async def wait(self) -> int:
        gone: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        return await gone


async def test_a_program_that_can_t_be_killed_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "END_S", 0.05)
    async with asyncio.timeout(10):
        stuck = Unkillable()
        await program._end(cast("asyncio.subprocess.Process", stuck))
    assert stuck.closed
