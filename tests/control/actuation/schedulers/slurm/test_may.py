"""Whoever judged a command may have done so minutes ago: Slurm is asked for a change only while we may."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from igoudar.collectors.profiles import load_profiles
from igoudar.control.actuation.schedulers import RefusedError
from igoudar.control.actuation.schedulers.choice import forbidden
from igoudar.control.actuation.schedulers.slurm import verbs
from igoudar.control.actuation.schedulers.slurm.batches import Batches
from igoudar.control.actuation.schedulers.slurm.program import Programs
from igoudar.control.actuation.schedulers.slurm.scheduler import SlurmScheduler
from igoudar.core import handsoff
from igoudar.core.clock import wall_clock
from igoudar.core.site import load_site


def scontrol(folder: Path) -> Programs:
    """Programs of which scontrol notes its calls and waits for the file `go`."""
    program = folder / "scontrol"
    script = f'echo "$*" >> {folder}/calls\nwhile [ ! -e {folder}/go ]; do sleep 0.01; done'
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return Programs(str(folder / "slurm.conf"), str(folder))


@pytest.mark.parametrize("reason", ["hands_off", "no_lease"])
async def test_what_waited_for_its_turn_is_not_done_any_more(tmp_path: Path, reason: str) -> None:
    slurm, said = scontrol(tmp_path), [""]
    slurm.may = lambda: said[0]
    batches = Batches(slurm)
    tasks = [
        asyncio.create_task(batches.run("suspend", str(job), lambda jobs: verbs.suspend(*jobs)))
        for job in range(1, 4)
    ]
    async with asyncio.timeout(10):
        while not (tmp_path / "calls").exists():
            await asyncio.sleep(0.01)
    said[0] = reason
    (tmp_path / "go").touch()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert done[0] is None
    assert [one.reason for one in done if isinstance(one, RefusedError)] == [reason] * 2
    assert (tmp_path / "calls").read_text().splitlines() == ["suspend 1"]


async def test_reading_goes_on(tmp_path: Path) -> None:
    slurm = scontrol(tmp_path)
    (tmp_path / "go").touch()
    slurm.may = lambda: "hands_off"
    await slurm.run(verbs.CONFIG)
    with pytest.raises(RefusedError):
        await slurm.run(verbs.resume("7"))


def test_the_file_and_the_lease_are_asked_anew_each_time(tmp_path: Path) -> None:
    site, held = load_site("jazari-lab", load_profiles()), [True]
    site = replace(site, scheduler=replace(site.scheduler, kind="slurm"))
    scheduler = SlurmScheduler(site, wall_clock(), lambda: forbidden(tmp_path, lambda: held[0]))
    may = scheduler._programs.may
    assert may() == ""
    held[0] = False
    assert may() == "no_lease"
    handsoff.turn_on(tmp_path, "test", "")
    assert may() == "hands_off"
