"""Which jobs may be touched, our marks on them, and how long they are expected to last."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igoudar.control.actuation.schedulers import RefusedError
from igoudar.control.actuation.schedulers.slurm import rules
from igoudar.control.actuation.schedulers.slurm.history import LEARNED_JOBS, History
from igoudar.control.actuation.schedulers.slurm.jobs import SlurmJob
from igoudar.control.actuation.schedulers.slurm.listing import fitted
from igoudar.control.actuation.schedulers.slurm.marks import Mark, read_mark, writable
from igoudar.core.model_scheduler import Scheduling

NOW_S = 1_800_000_000.0
RULES = Scheduling("slurm", flexible_partitions=frozenset({"flex"}), flexible_qos=frozenset({"low"}))
JOB = SlurmJob(
    number=7,
    job_id="7",
    target="7",
    name="train",
    user="amal",
    partitions=("flex",),
    qos="",
    comment="",
    mark="",
    states=frozenset({"PENDING"}),
    reason="Resources",
    held=False,
    gpus=4,
    tasks=1,
    at_once=1,
    licences="",
    nodes=(),
    submitted_s=NOW_S - 60,
    begin_s=NOW_S - 60,
    started_s=None,
    ended_s=None,
    deadline_s=None,
    suspended_s=None,
    ran_before_s=0.0,
    limit_s=3600.0,
    requeue=True,
    leader=0,
)


@pytest.mark.parametrize(
    ("job", "flexible"),
    [
        (JOB, True),
        (replace(JOB, partitions=("flex", "gpu")), False),  # it may start where it is urgent
        (replace(JOB, partitions=("gpu",)), False),
        (replace(JOB, partitions=("gpu",), comment="x, igoudar:flexible"), True),
        (replace(JOB, partitions=("gpu",), comment="igoudar:flexible-not"), False),
        (replace(JOB, partitions=("gpu",), qos="low"), True),
        (replace(JOB, comment="igoudar:urgent"), False),
        (replace(JOB, partitions=("gpu",), comment="igoudar:flexible igoudar:urgent"), False),
        (replace(JOB, gpus=0), False),
    ],
)
def test_what_is_flexible(job: SlurmJob, flexible: bool) -> None:
    assert rules.flexible(job, RULES) is flexible


def test_without_rules_nothing_is_flexible() -> None:
    assert not rules.flexible(JOB, Scheduling("slurm"))


@given(
    st.sampled_from(["PENDING", "RUNNING", "SUSPENDED", "COMPLETING", "COMPLETED", "TIMEOUT", "CONFIGURING"]),
    st.sampled_from(["flex", "gpu"]),
    st.booleans(),
)
def test_nothing_urgent_held_or_over_is_ever_let_through(state: str, partition: str, held: bool) -> None:
    job = replace(
        JOB, states=frozenset({state}), partitions=(partition,), held=held, comment="igoudar:requeue"
    )
    checks = {
        "PENDING": lambda: rules.check_begin(job, RULES, NOW_S),
        "RUNNING": lambda: rules.check_suspend(job, RULES),
        "SUSPENDED": lambda: rules.check_resume(job, RULES, Mark()),
    }
    for needed, check in checks.items():
        if state == needed and partition == "flex" and not (held and state == "PENDING"):
            check()
            continue
        with pytest.raises(RefusedError):
            check()


def test_a_begin_time_respects_the_deadline_at_which_slurm_would_cancel() -> None:
    job = replace(JOB, deadline_s=NOW_S + 7200)
    rules.check_begin(job, RULES, NOW_S + 3600)
    with pytest.raises(RefusedError) as refused:
        rules.check_begin(job, RULES, NOW_S + 3601)
    assert refused.value.reason == "deadline"


def test_the_earlier_deadline_holds_and_nonsense_is_none() -> None:
    said = "igoudar:deadline=2027-01-15T08:01:00Z"
    assert rules.deadline_s(replace(JOB, comment=said)) == NOW_S + 60
    assert rules.deadline_s(replace(JOB, comment=said, deadline_s=NOW_S + 30)) == NOW_S + 30
    assert rules.deadline_s(replace(JOB, comment="igoudar:deadline=tomorrow")) is None


def test_what_a_job_waits_for_that_is_not_ours() -> None:
    later = replace(JOB, begin_s=NOW_S + 600)
    assert rules.blocked(later, Mark(), NOW_S) == "begin"
    assert rules.blocked(later, Mark(at_s=int(NOW_S) + 600), NOW_S) == ""
    assert rules.blocked(later, Mark(at_s=int(NOW_S) + 60), NOW_S) == "begin"  # its user has changed it since
    assert rules.blocked(replace(later, held=True), Mark(), NOW_S) == "hold"
    assert rules.blocked(replace(JOB, reason="DependencyNeverSatisfied"), Mark(), NOW_S) == "dependency"
    assert rules.blocked(replace(later, states=frozenset({"RUNNING"})), Mark(), NOW_S) == ""


@given(st.integers(1, 10**11), st.integers(0, 10**11), st.booleans())
def test_a_mark_is_read_as_it_was_written(at_s: int, begin_s: int, suspended: bool) -> None:
    mark = Mark(at_s, begin_s, suspended)
    assert read_mark(mark.text()) == mark
    assert Mark().text() == ""


@given(st.text())
def test_somebody_else_s_comment_is_no_mark(comment: str) -> None:
    if not comment.startswith("igoudar:"):
        assert read_mark(comment) == Mark()
        assert writable(comment) is (comment == "")
    read_mark("igoudar:" + comment)


def ended(number: int, lasted_s: float) -> SlurmJob:
    return replace(
        JOB, number=number, states=frozenset({"COMPLETED"}), started_s=NOW_S, ended_s=NOW_S + lasted_s
    )


def test_a_limit_is_believed_until_the_user_s_jobs_say_otherwise() -> None:
    history = History()
    assert history.expected_s(JOB) == 3600
    history.learn([ended(number, 300.0) for number in range(LEARNED_JOBS - 1)])
    assert history.expected_s(JOB) == 3600
    history.learn([ended(number, 300.0) for number in range(LEARNED_JOBS + 1)])  # each is learnt once
    assert 300 <= history.expected_s(JOB) < 600
    assert history.expected_s(replace(JOB, user="nour")) == 3600


def test_a_job_without_a_limit_is_expected_to_last_long() -> None:
    assert History().expected_s(replace(JOB, limit_s=None)) == 86_400


def test_an_array_is_no_larger_than_what_there_is() -> None:
    array = replace(JOB, tasks=1000, at_once=1000)
    assert fitted(array, 64).at_once == 16
    assert fitted(array, 2).at_once == 1
    assert fitted(JOB, 2) == JOB


def test_tasks_that_cannot_run_at_once_follow_each_other() -> None:
    assert History().expected_s(replace(JOB, tasks=10, at_once=4)) == 3 * 3600
