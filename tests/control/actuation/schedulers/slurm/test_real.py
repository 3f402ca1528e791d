"""Every verb against a real Slurm."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.control.actuation.schedulers.slurm.rig import FLEX, SPEED, adapter, clock, in_site_minutes, listed
from tests.peers.slurm import Cluster

from igoudar.control.actuation.schedulers import RefusedError
from igoudar.core.model import JobState

pytestmark = pytest.mark.xdist_group("slurm")


HERE = "--nodelist=gpu01"


def busy(slurm: Cluster) -> str:
    """An urgent job on all GPUs of one node, so that those which want them wait."""
    job = slurm.submit("--partition=gpu", HERE, gpus=8)
    slurm.wait_state(job, "RUNNING")
    return job


def full(slurm: Cluster) -> list[str]:
    """Urgent jobs on every GPU, so that all others wait."""
    jobs = [slurm.submit("--partition=gpu", gpus=8) for _ in slurm.names]
    for job in jobs:
        slurm.wait_state(job, "RUNNING")
    return jobs


async def test_the_queue_is_in_site_time_site_gpus_and_racks(slurm: Cluster) -> None:
    at = clock()
    hostile = "\x1b[31mred\nPartition=gpu"
    job = slurm.submit(*FLEX, f"--job-name={hostile}", "--nodelist=gpu03", gpus=4)
    urgent = slurm.submit("--partition=gpu", "--time=10")
    slurm.wait_state(job, "RUNNING")
    queue = await adapter(slurm, at).queue()
    jobs = {job.job_id: job for job in queue.jobs}
    one = jobs[job]
    assert (one.state, one.flexible, one.racks, one.name) == (JobState.RUNNING, True, ("a1-03",), hostile)
    assert one.gpus == 36  # half of a node of 8, which stands for a rack of 72
    assert one.expected_s == 3600 * SPEED
    assert one.started is not None
    assert timedelta(0) <= at.now() - one.submitted < timedelta(minutes=30)  # 30 wall seconds
    assert not jobs[urgent].flexible
    assert (queue.gpus, queue.flexible_gpus, queue.gpus_free) == (576, 576, 576 - 36 - 9)


async def test_a_delay_is_a_begin_time_and_ends_by_itself(slurm: Cluster) -> None:
    at = clock()
    busy, scheduler = full(slurm), adapter(slurm, at)
    job = slurm.submit(*FLEX)
    until = in_site_minutes(at, 4)  # 4 wall seconds
    await scheduler.delay(job, until)
    one = await listed(scheduler, job)
    assert one.state is JobState.HELD
    assert one.begin_at is not None
    assert timedelta(0) <= one.begin_at - until <= timedelta(seconds=1.1 * SPEED)
    assert slurm.jobs()[job]["priority"] > 0  # never a bare hold
    slurm.run("scancel", busy[0])
    slurm.wait_state(job, "RUNNING")
    assert at.now() >= until


async def test_a_release_takes_our_delay_back(slurm: Cluster) -> None:
    at = clock(1.0)
    first, scheduler = busy(slurm), adapter(slurm, at)
    job = slurm.submit(*FLEX, HERE)
    await scheduler.delay(job, at.now() + timedelta(hours=2))
    assert (await listed(scheduler, job)).blocked == ""
    slurm.run("scancel", first)
    await scheduler.release(job)
    slurm.wait_state(job, "RUNNING")
    assert slurm.jobs()[job]["admin_comment"] == ""


async def test_a_user_s_own_begin_time_is_kept(slurm: Cluster) -> None:
    at = clock(1.0)
    scheduler = adapter(slurm, at)
    job = slurm.submit(*FLEX, "--begin=now+1hour")
    asked = slurm.jobs()[job]["eligible_time"]
    assert (await listed(scheduler, job)).blocked == "begin"
    with pytest.raises(RefusedError) as refused:
        await scheduler.release(job)
    assert refused.value.reason == "begin"
    await scheduler.delay(job, at.now() + timedelta(minutes=5))  # it is later already
    assert slurm.jobs()[job]["eligible_time"] == asked
    await scheduler.delay(job, at.now() + timedelta(hours=3))
    assert slurm.jobs()[job]["eligible_time"] > asked
    await scheduler.release(job)
    assert abs(slurm.jobs()[job]["eligible_time"] - asked) <= 1


async def test_another_control_knows_whose_the_begin_time_is(slurm: Cluster) -> None:
    at = clock(1.0)
    first, job = busy(slurm), slurm.submit(*FLEX, HERE)
    await adapter(slurm, at).delay(job, at.now() + timedelta(hours=2))
    slurm.run("scancel", first)
    await adapter(slurm, at).release(job)  # one that was started since
    slurm.wait_state(job, "RUNNING")


async def test_an_administrator_s_comment_is_left_alone(slurm: Cluster) -> None:
    at = clock(1.0)
    scheduler = adapter(slurm, at)
    first, job = busy(slurm), slurm.submit(*FLEX, HERE)
    slurm.run("scontrol", "update", f"JobId={job}", "AdminComment=billed to physics")
    await scheduler.delay(job, at.now() + timedelta(hours=2))
    assert slurm.jobs()[job]["admin_comment"] == "billed to physics"
    with pytest.raises(RefusedError):
        await adapter(slurm, at).release(job)  # who does not know that it was us keeps off
    slurm.run("scancel", first)
    await scheduler.release(job)
    slurm.wait_state(job, "RUNNING")


async def test_a_held_job_is_left_to_who_holds_it(slurm: Cluster) -> None:
    at = clock()
    scheduler = adapter(slurm, at)
    job = slurm.submit(*FLEX, "--hold")
    assert (await listed(scheduler, job)).blocked == "hold"
    for call in (scheduler.release(job), scheduler.delay(job, in_site_minutes(at, 60))):
        with pytest.raises(RefusedError) as refused:
            await call
        assert refused.value.reason == "held"
    assert slurm.jobs()[job]["priority"] == 0


async def test_a_delay_never_lets_slurm_cancel_a_job_by_its_deadline(slurm: Cluster) -> None:
    at = clock(1.0)
    full(slurm)
    scheduler = adapter(slurm, at)
    job = slurm.submit(*FLEX, "--deadline=now+2hours")
    with pytest.raises(RefusedError) as refused:
        await scheduler.delay(job, at.now() + timedelta(minutes=70))
    assert refused.value.reason == "deadline"
    await scheduler.delay(job, at.now() + timedelta(minutes=50))
    one = await listed(scheduler, job)
    assert one.deadline is not None
    assert abs(one.deadline - at.now() - timedelta(hours=2)) < timedelta(minutes=1)


async def test_suspend_stops_the_work_and_resume_goes_on(slurm: Cluster) -> None:
    at = clock(1.0)
    scheduler = adapter(slurm, at)
    job = slurm.submit(*FLEX)
    slurm.wait_state(job, "RUNNING")
    before = await scheduler.queue()
    await scheduler.suspend(job)
    await scheduler.suspend(job)  # a longer pause of the same job
    assert slurm.state(job) == "SUSPENDED"
    first = await listed(scheduler, job)
    assert (first.state, first.keeps_gpus) == (JobState.SUSPENDED, True)
    assert (await scheduler.queue()).gpus_free == before.gpus_free
    slurm.run("scontrol", "update", f"JobId={job}", "Comment=igoudar:urgent")
    await adapter(slurm, at).resume(job)  # another control, and the job is urgent by now
    assert slurm.state(job) == "RUNNING"
    assert slurm.jobs()[job]["admin_comment"] == ""
    await scheduler.queue()
    with pytest.raises(RefusedError, match="not flexible"):
        await scheduler.suspend(job)


async def test_somebody_else_s_suspend_of_an_urgent_job_is_not_resumed(slurm: Cluster) -> None:
    job = slurm.submit("--partition=gpu")
    slurm.wait_state(job, "RUNNING")
    slurm.run("scontrol", "suspend", job)
    with pytest.raises(RefusedError, match="not flexible"):
        await adapter(slurm, clock()).resume(job)


async def test_somebody_else_s_suspend_is_not_taken_for_ours(slurm: Cluster) -> None:
    job = slurm.submit(*FLEX)
    slurm.wait_state(job, "RUNNING")
    slurm.run("scontrol", "suspend", job)
    with pytest.raises(RefusedError, match="does not run"):
        await adapter(slurm, clock()).suspend(job)


async def test_only_who_agreed_is_queued_again(slurm: Cluster) -> None:
    scheduler = adapter(slurm, clock())
    plain, agreed = slurm.submit(*FLEX), slurm.submit(*FLEX, "--comment=igoudar:requeue, thanks")
    pinned = slurm.submit(*FLEX, "--comment=igoudar:requeue", "--no-requeue")
    for job in (plain, agreed, pinned):
        slurm.wait_state(job, "RUNNING")
    await scheduler.requeue(agreed)
    slurm.wait(lambda: slurm.jobs()[agreed]["restart_cnt"] == 1)
    for job in (plain, pinned):
        with pytest.raises(RefusedError) as refused:
            await scheduler.requeue(job)
        assert refused.value.reason == "not_opted_in"
        assert slurm.state(job) == "RUNNING"


async def test_urgent_jobs_are_never_touched(slurm: Cluster) -> None:
    at = clock()
    scheduler = adapter(slurm, at)
    running = slurm.submit("--partition=gpu", "--comment=igoudar:requeue")
    marked = slurm.submit(*FLEX, "--comment=igoudar:urgent")
    waiting = slurm.submit("--partition=gpu", "--begin=now+1hour")
    slurm.wait_state(running, "RUNNING")
    slurm.wait_state(marked, "RUNNING")
    before = {job: slurm.jobs()[job] for job in (running, marked, waiting)}
    for call in (
        *(scheduler.suspend(running), scheduler.suspend(marked), scheduler.requeue(running)),
        *(scheduler.delay(waiting, in_site_minutes(at, 60)), scheduler.release(waiting)),
    ):
        with pytest.raises(RefusedError) as refused:
            await call
        assert refused.value.reason == "not_flexible"
    after = slurm.jobs()
    for job, was in before.items():
        assert [after[job][key] for key in ("job_state", "eligible_time", "admin_comment")] == [
            was[key] for key in ("job_state", "eligible_time", "admin_comment")
        ]


async def test_a_comment_makes_a_job_flexible_in_any_partition(slurm: Cluster) -> None:
    scheduler = adapter(slurm, clock())
    job = slurm.submit(
        "--partition=gpu", "--comment=train igoudar:flexible igoudar:deadline=2026-12-31T00:00Z"
    )
    slurm.wait_state(job, "RUNNING")
    one = await listed(scheduler, job)
    assert one.flexible
    assert one.deadline is not None
    await scheduler.suspend(job)
    await scheduler.resume(job)


async def test_a_task_of_an_array_is_met_alone(slurm: Cluster) -> None:
    at = clock(1.0)
    scheduler = adapter(slurm, at)
    array = slurm.submit(*FLEX, "--array=0-9%2", gpus=2)
    slurm.wait_state(f"{array}_1", "RUNNING")
    jobs = {job.job_id: job for job in (await scheduler.queue()).jobs}
    assert set(jobs) == {array, f"{array}_0", f"{array}_1"}
    rest = jobs[array]
    assert (rest.gpus, rest.expected_s) == (36, 4 * 3600)  # 8 tasks that wait, 2 at a time
    await scheduler.suspend(f"{array}_0")
    assert (slurm.state(f"{array}_0"), slurm.state(f"{array}_1")) == ("SUSPENDED", "RUNNING")
    await scheduler.delay(array, at.now() + timedelta(hours=1))
    slurm.run("scancel", f"{array}_1")
    one = await listed(scheduler, array)
    assert (one.state, one.blocked) == (JobState.HELD, "")
    await scheduler.resume(f"{array}_0")
    assert slurm.state(f"{array}_0") == "RUNNING"
    await scheduler.release(array)
    slurm.wait_state(f"{array}_2", "RUNNING")


async def test_a_heterogeneous_job_is_one_job(slurm: Cluster) -> None:
    scheduler = adapter(slurm, clock())
    part = ("--partition=flex", "--mem=1", "--time=60")
    said = slurm.run(
        *("sbatch", "--parsable", "--output=/dev/null", *part, "--gres=gpu:1", ":"),
        *(*part, "--gres=gpu:2", "--wrap=sleep 600"),
    )
    job = said.strip()
    slurm.wait_state(job, "RUNNING")
    assert [one.gpus for one in (await scheduler.queue()).jobs if one.job_id == job] == [27]
    await scheduler.suspend(job)
    slurm.wait(
        lambda: {one["job_state"] for one in slurm.jobs().values() if one["het_job_id"]} == {"SUSPENDED"}
    )
    await scheduler.resume(job)
    slurm.wait(
        lambda: {one["job_state"] for one in slurm.jobs().values() if one["het_job_id"]} == {"RUNNING"}
    )


async def test_a_waiting_dependency_is_not_ours_to_start(slurm: Cluster) -> None:
    first = slurm.submit(*FLEX)
    second = slurm.submit(*FLEX, f"--dependency=afterok:{first}")
    slurm.wait(lambda: slurm.jobs()[second]["state_reason"] == "Dependency")
    one = await listed(adapter(slurm, clock()), second)
    assert (one.state, one.blocked) == (JobState.HELD, "dependency")


async def test_a_job_that_ended_meanwhile_has_a_named_result(slurm: Cluster) -> None:
    at = clock()
    scheduler = adapter(slurm, at)
    job = slurm.submit(*FLEX)
    slurm.wait_state(job, "RUNNING")
    await scheduler.queue()
    slurm.run("scancel", job)  # by its user, after it was listed
    slurm.wait_state(job, "CANCELLED")
    for _ in range(2):  # as it was listed, then as it is
        with pytest.raises(RefusedError) as refused:
            await scheduler.suspend(job)
        assert refused.value.reason == "ended"
    with pytest.raises(RefusedError) as unknown:
        await scheduler.resume("987654")
    assert unknown.value.reason == "unknown_job"
    finished = await listed(scheduler, job, since=datetime(2020, 1, 1, tzinfo=UTC))
    assert finished.state is JobState.FINISHED
    assert finished.finished is not None
