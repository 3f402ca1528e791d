import json
import os
import stat
from pathlib import Path

import pytest

from igoudar.core.errors import LinkError
from igoudar.simulators.slurm_reader import RunningJob, SlurmNode, SlurmReader, host_names, node, running


def entry(**changes: object) -> dict[str, object]:
    """One job as Slurm 22.05 writes it, as far as it is read here."""
    job: dict[str, object] = {
        "job_id": 17,
        "job_state": "RUNNING",
        "partition": "flex",
        "qos": "",
        "comment": None,
        "nodes": "gpu[01-02]",
        "gres_detail": ["gpu:h100:8(IDX:0-7)", "gpu:h100:4(IDX:0-3)"],
    }
    return job | changes


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("", []),
        ("gpu01", ["gpu01"]),
        ("gpu[01-03,07]", ["gpu01", "gpu02", "gpu03", "gpu07"]),
        ("gpu[9-11],login1", ["gpu9", "gpu10", "gpu11", "login1"]),
        ("a[1-2]-ib,b[003]", ["a1-ib", "a2-ib", "b003"]),
    ],
)
def test_hosts_of_the_short_form(text: str, hosts: list[str]) -> None:
    assert list(host_names(text)) == hosts


def test_only_what_runs_counts_with_its_gpus_by_node() -> None:
    jobs = [entry(), *(entry(job_state=state) for state in ("SUSPENDED", "PENDING", "COMPLETING"))]
    assert list(running({"jobs": jobs})) == [RunningJob("17", "flex", "", "", {"gpu01": 8, "gpu02": 4})]


def test_later_versions_write_states_as_a_list() -> None:
    assert len(list(running({"jobs": [entry(job_state=["RUNNING"])]}))) == 1


def test_gpus_that_are_not_told_by_node_are_spread_evenly() -> None:
    (job,) = running({"jobs": [entry(gres_detail=["gpu:h100:6(IDX:0-5)"])]})
    assert job.gpus == {"gpu01": 3, "gpu02": 3}
    (job,) = running({"jobs": [entry(gres_detail=[])]})
    assert job.gpus == {"gpu01": 0, "gpu02": 0}


def test_a_node_with_its_gpus_and_whether_it_is_off() -> None:
    assert node("NodeName=gpu01 Arch=x86_64 Gres=gpu:h100:8 State=MIXED Comment=a b") == SlurmNode(
        "gpu01", 8, off=False
    )
    assert node("NodeName=gpu02 Gres=gpu:8(S:0-1) State=IDLE+POWERED_DOWN").off
    assert node("NodeName=cpu01 Gres=(null) State=DOWN*") == SlurmNode("cpu01", 0, off=False)


def stand_in(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


async def test_it_reads_by_the_programs_of_a_folder_with_the_cluster_s_file(tmp_path: Path) -> None:
    (tmp_path / "answer").write_text(json.dumps({"jobs": [entry(comment="igoudar:flexible")]}))
    stand_in(tmp_path, "squeue", f'test "$SLURM_CONF" = /etc/x.conf && cat {tmp_path}/answer')
    stand_in(tmp_path, "scontrol", "echo 'NodeName=gpu01 Gres=gpu:h100:8 State=IDLE'")
    reader = SlurmReader("/etc/x.conf", str(tmp_path))
    (job,) = await reader.jobs()
    assert job.comment == "igoudar:flexible"
    assert await reader.nodes() == [SlurmNode("gpu01", 8, off=False)]
    assert "SLURM_CONF" not in os.environ


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1", "Unable to contact"),
        ("echo nothing", "can't be read"),
        ("echo '{\"jobs\": [{}]}'", "can't be read"),
        ("exit 3", "exit 3"),
    ],
)
async def test_a_slurm_that_does_not_answer_as_it_should(tmp_path: Path, script: str, said: str) -> None:
    stand_in(tmp_path, "squeue", script)
    with pytest.raises(LinkError, match=said):
        await SlurmReader("", str(tmp_path)).jobs()


async def test_programs_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(LinkError, match="can't be started"):
        await SlurmReader("", str(tmp_path)).nodes()
