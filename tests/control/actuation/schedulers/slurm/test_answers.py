"""Slurm's JSON of several versions, and answers that are none."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igoudar.control.actuation.schedulers.slurm.document import AnswerError
from igoudar.control.actuation.schedulers.slurm.jobs import SlurmJob, gpus_of, read_jobs
from igoudar.control.actuation.schedulers.slurm.known import whole
from igoudar.control.actuation.schedulers.slurm.nodes import read_nodes
from igoudar.core.errors import LinkError


def number(value: int | None, infinite: bool = False) -> dict[str, Any]:
    """How versions from 23.02 write a number."""
    return {"set": value is not None, "infinite": infinite, "number": value or 0}


OLD: dict[str, Any] = {
    "job_id": 7,
    "array_job_id": 0,
    "array_task_id": None,
    "array_task_string": "",
    "job_state": "RUNNING",
    "name": "train",
    "user_name": "amal",
    "partition": "flex",
    "comment": "",
    "admin_comment": "",
    "submit_time": 100,
    "eligible_time": 100,
    "start_time": 160,
    "end_time": 7360,
    "suspend_time": 0,
    "pre_sus_time": 0,
    "deadline": 0,
    "time_limit": 120,
    "priority": 4294901759,
    "requeue": True,
    "gres_detail": ["gpu:h100:4(IDX:0-3)"],
    "tres_per_node": "gres:gpu:4",
    "tres_req_str": "cpu=1",
    "nodes": "gpu[01-02]",
    "node_count": 2,
    "tasks": 2,
    "licenses": "watts:2800",
    "het_job_id": 0,
    "state_reason": "None",
}
NEW = OLD | {
    "array_job_id": number(0),
    "array_task_id": number(None),
    "job_state": ["RUNNING"],
    "time_limit": number(120),
    "priority": number(4294901759),
    **{key: number(OLD[key]) for key in ("submit_time", "eligible_time", "start_time", "end_time")},
    **{key: number(0) for key in ("suspend_time", "pre_sus_time", "deadline", "het_job_id")},
    "node_count": number(2),
    "tasks": number(2),
}
CURRENT = NEW | {"tres_per_node": "gres/gpu:4", "tres_req_str": "cpu=1,gres/gpu=8", "state_flags": []}


def answer(*jobs: dict[str, Any], release: str = "23.11.4") -> bytes:
    meta = {"slurm": {"version": {"major": "23", "minor": "11"}, "release": release}}
    return json.dumps({"meta": meta, "errors": [], "jobs": jobs}).encode()


def one(**changes: Any) -> SlurmJob:
    return read_jobs(answer(OLD | changes))[0]


@pytest.mark.parametrize("job", [NEW, CURRENT], ids=["23.11", "24.05"])
def test_every_version_says_the_same(job: dict[str, Any]) -> None:
    assert read_jobs(answer(job)) == read_jobs(answer(OLD, release="22.05.8"))


def test_a_job_without_a_limit_has_none_in_any_version() -> None:
    for limit in (None, 4294967295, number(None, infinite=True), number(None)):
        assert one(time_limit=limit).limit_s is None


@pytest.mark.parametrize(
    ("text", "gpus"),
    [
        ("gpu:h100:8(S:0-1)", 8),
        ("gpu:2", 2),
        ("gres:gpu", 1),
        ("gres/gpu=4", 4),
        ("gres:gpu:3090:4", 4),
        ("tpu:4,gpu:a100:1(IDX:0),gpu:h100:2(IDX:1,3)", 3),
        ("gpu_mem:80", 0),
        ("(null)", 0),
    ],
)
def test_gpus_are_counted_in_slurm_s_words(text: str, gpus: int) -> None:
    assert gpus_of([text]) == gpus


def test_gpus_that_are_asked_for_are_counted_for_all_nodes() -> None:
    waiting = {"job_state": "PENDING", "gres_detail": [], "nodes": ""}
    assert one(**waiting).gpus == 8
    assert one(**waiting, tres_per_node="", tres_per_job="gres:gpu:6").gpus == 6
    assert one(**waiting, tres_per_node="", tres_per_task="gres:gpu:1").gpus == 2
    assert one(**waiting, tres_req_str="cpu=2,gres/gpu=5,gres/gpu:h100=5").gpus == 5
    assert one(tres_alloc_str="cpu=2,gres/gpu=5", gres_detail=[]).gpus == 5


def test_waiting_tasks_of_an_array_are_one_and_named_one_by_one_in_commands() -> None:
    rest = one(job_state="PENDING", array_job_id=7, array_task_string="3-9,12%4", array_max_tasks=4)
    assert (rest.job_id, rest.target, rest.tasks, rest.at_once) == ("7", "7_[3-9,12]", 8, 4)
    task = one(array_job_id=7, array_task_id=0, job_id=9)
    assert (task.job_id, task.target) == ("7_0", "7_0")
    cut = one(job_state="PENDING", array_job_id=7, array_task_string="1,3,5,7...")
    assert (cut.target, cut.tasks) == ("7", 3)


def test_work_done_leaves_out_the_time_of_a_suspend() -> None:
    assert one().ran_s(260.0) == 100.0
    stopped = one(job_state="SUSPENDED", suspend_time=200, pre_sus_time=40)
    assert stopped.ran_s(9999.0) == 40.0
    assert one(suspend_time=500, pre_sus_time=40).ran_s(510.0) == 50.0  # it runs again since 500
    assert one(job_state="COMPLETED", end_time=180).ran_s(9999.0) == 20.0
    assert one(job_state="PENDING").ran_s(9999.0) == 0.0


def test_the_parts_of_a_heterogeneous_job_are_one() -> None:
    first, second = (
        OLD | {"het_job_id": 7},
        OLD | {"job_id": 8, "het_job_id": 7, "nodes": "gpu09", "partition": "b"},
    )
    (job,) = whole(read_jobs(answer(first, second)))
    assert (job.job_id, job.gpus, job.nodes, job.partitions) == (
        "7",
        8,
        ("gpu01", "gpu02", "gpu09"),
        ("flex", "b"),
    )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"job_id": "seven"}, "job_id"),
        ({"job_state": 3}, "job_state"),
        ({"job_state": None}, "job_state"),
        ({"submit_time": None}, "submit_time"),
        ({"nodes": "gpu[1-"}, "nodes"),
        ({"time_limit": "2:00"}, "time_limit"),
        ({"requeue": "yes"}, "requeue"),
        ({"comment": ["x"]}, "comment"),
    ],
)
def test_what_can_t_be_read_names_version_and_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(AnswerError) as fault:
        read_jobs(answer(OLD, OLD | change, release="26.05.1"))
    assert field in str(fault.value)
    assert "Slurm 26.05.1: jobs[1]" in fault.value.where
    assert not fault.value.retryable


@pytest.mark.parametrize(
    "text", [b"", b"JOBID PARTITION\n", b"[]", b'{"jobs": 3}', b'{"jobs": [3]}', b"\xff\x00"]
)
def test_an_answer_that_is_none_is_told(text: bytes) -> None:
    with pytest.raises(AnswerError):
        read_jobs(text)


def test_an_empty_list_with_errors_is_a_slurm_that_does_not_answer() -> None:
    error = {"error_code": -1, "error": "Unable to contact slurm controller (connect failure)"}
    with pytest.raises(LinkError, match="Unable to contact") as fault:
        read_jobs(json.dumps({"errors": [error], "jobs": []}).encode())
    assert fault.value.retryable


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(sorted(OLD)), inner),
    )
)
def test_no_answer_breaks_it(document: Any) -> None:
    for read in (read_jobs, read_nodes):
        try:
            read(json.dumps({"jobs": [document], "nodes": [document]}).encode())
        except LinkError:
            continue


def test_nodes_of_both_forms() -> None:
    old = {"name": "gpu01", "state": "idle", "state_flags": ["DRAIN"], "partitions": ["gpu", "flex"]}
    gres = {"gres": "gpu:h100:8", "gres_used": "gpu:h100:2(IDX:0-1)"}
    rows = [
        {"nodes": {"nodes": ["gpu01"]}, "node": {"state": ["IDLE", "DRAIN"]}, "partition": {"name": name}}
        | {"gres": {"total": "gpu:h100:8", "used": "gpu:h100:2(IDX:0-1)"}}
        for name in ("gpu", "flex")
    ]
    read = read_nodes(json.dumps({"nodes": [old | gres]}).encode())
    assert read_nodes(json.dumps({"sinfo": rows}).encode()) == read
    node = read["gpu01"]
    assert (node.gpus, node.gpus_used, node.usable, node.idle_and_drained) == (8, 2, False, True)
    assert not read_nodes(json.dumps({"nodes": [old | {"state_flags": ["POWERED_DOWN"]}]}).encode())[
        "gpu01"
    ].usable
