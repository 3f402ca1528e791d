"""Many jobs, few programs; each job is answered for itself."""

import asyncio
from pathlib import Path

import pytest

from igoudar.control.actuation.schedulers.slurm import verbs
from igoudar.control.actuation.schedulers.slurm.batches import MOST, Batches
from igoudar.control.actuation.schedulers.slurm.program import Programs
from igoudar.core.errors import CommandError, LinkError


def batches(folder: Path, script: str = "", timeout_s: float = 5.0) -> Batches:
    """Batches of a scontrol that notes its calls and then does what the script says."""
    program = folder / "scontrol"
    program.write_text(f'#!/bin/sh\necho "$*" >> {folder}/calls\n{script}\n')
    program.chmod(0o755)
    return Batches(Programs("slurm.conf", str(folder), timeout_s))


def calls(folder: Path) -> list[list[str]]:
    return [line.split()[-1].split(",") for line in (folder / "calls").read_text().splitlines()]


async def suspend(slurm: Batches, job: str) -> None:
    await slurm.run("suspend", job, lambda jobs: verbs.suspend(*jobs))


async def test_what_comes_while_a_program_runs_goes_together(tmp_path: Path) -> None:
    slurm = batches(tmp_path)
    jobs = [str(number) for number in range(1, 62)]
    await asyncio.gather(*(suspend(slurm, job) for job in jobs))
    said = calls(tmp_path)
    assert sorted(job for call in said for job in call) == sorted(jobs)
    assert max(map(len, said)) == MOST
    assert len(said) <= 4
    assert not slurm._lines


async def test_different_wishes_stay_apart(tmp_path: Path) -> None:
    slurm = batches(tmp_path)
    await asyncio.gather(
        slurm.run("suspend", "1", lambda jobs: verbs.suspend(*jobs)),
        slurm.run("resume", "2", lambda jobs: verbs.resume(*jobs)),
        slurm.run("suspend", "3_[1-2]", lambda jobs: verbs.suspend(*jobs)),
    )
    assert sorted(calls(tmp_path)) == [["1"], ["2"], ["3_[1-2]"]]


async def test_one_that_is_refused_spoils_nothing_for_the_others(tmp_path: Path) -> None:
    script = 'case "$2" in *3*) echo "Job is pending execution for job 3" >&2; exit 1;; esac'
    slurm = batches(tmp_path, script)
    said = await asyncio.gather(*(suspend(slurm, str(job)) for job in range(1, 6)), return_exceptions=True)
    assert [type(one) for one in said if one] == [CommandError]
    assert isinstance(said[2], CommandError)


async def test_a_slurm_that_is_away_is_so_for_all_and_asked_once(tmp_path: Path) -> None:
    slurm = batches(tmp_path, "exec sleep 60", 0.3)
    said = await asyncio.gather(*(suspend(slurm, str(job)) for job in range(1, 20)), return_exceptions=True)
    assert all(isinstance(one, LinkError) for one in said)
    assert len(calls(tmp_path)) <= 2


async def test_who_gives_up_takes_nobody_along(tmp_path: Path) -> None:
    slurm = batches(tmp_path, f"while [ ! -e {tmp_path}/go ]; do sleep 0.01; done")
    tasks = [asyncio.create_task(suspend(slurm, str(job))) for job in range(1, 6)]
    async with asyncio.timeout(10):
        while not (tmp_path / "calls").exists():
            await asyncio.sleep(0.01)
    tasks[0].cancel()
    (tmp_path / "go").touch()
    with pytest.raises(asyncio.CancelledError):
        await tasks[0]
    await asyncio.gather(*tasks[1:])
    assert {job for call in calls(tmp_path) for job in call} >= {"2", "3", "4", "5"}
