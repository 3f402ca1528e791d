"""Racks under a followed scheduler: every GPU that works draws power on the racks its node stands for."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igoudar.core.errors import ConfigError, LinkError
from igoudar.core.model import Kind, Site
from igoudar.core.model_scheduler import Scheduling, deal
from igoudar.simulators.service import load_inputs
from igoudar.simulators.slurm_follow import Follower, is_flexible, occupied
from igoudar.simulators.slurm_reader import RunningJob, SlurmNode
from igoudar.simulators.summary import summary
from igoudar.simulators.twin import Inputs, Twin
from tests.simulators.conftest import START

RACKS = tuple(f"a1-{number:02d}" for number in range(1, 9))
NODES = tuple(f"gpu{number:02d}" for number in range(1, 5))
SLURM = Scheduling(
    kind="slurm", flexible_partitions=frozenset({"flex"}), nodes=deal(NODES, RACKS)
)  # two racks a node


@dataclass
class Cluster:
    """What a Slurm would answer."""

    running: list[RunningJob] = field(default_factory=list)
    off: set[str] = field(default_factory=set)
    down: bool = False

    async def jobs(self) -> list[RunningJob]:
        if self.down:
            raise LinkError("no answer")
        return self.running

    async def nodes(self) -> list[SlurmNode]:
        return [SlurmNode(name, 8, name in self.off) for name in NODES]


def job(gpus: dict[str, float], partition: str = "flex", comment: str = "", qos: str = "") -> RunningJob:
    return RunningJob("1", partition, qos, comment, gpus)


@pytest.fixture
def followed(site: Site) -> Site:
    return replace(site, scheduler=SLURM)


@pytest.fixture
def twin(followed: Site) -> Twin:
    return Twin.fresh(load_inputs(followed, 7, None, None), START, 0.0)


def follower(twin: Twin, cluster: Cluster) -> Follower:
    return Follower(cluster, SLURM, (twin.plant.racks, twin.shadow.racks))


async def test_a_job_loads_the_racks_of_its_nodes_and_its_pdus_show_it(twin: Twin) -> None:
    cluster = Cluster()
    follows = follower(twin, cluster)
    await follows.refresh()
    twin.plant.step(1.0)
    idle = twin.plant.racks.power_w.copy()
    assert idle == pytest.approx(twin.plant.racks.idle_w)
    cluster.running = [job({"gpu02": 4})]
    await follows.refresh()
    twin.plant.step(1.0)
    grown = twin.plant.racks.power_w - idle
    expected = 0.5 * twin.plant.racks.dynamic_w
    assert grown[2:4] == pytest.approx(expected[2:4])
    assert grown[[0, 1, 4, 5, 6, 7]] == pytest.approx(0.0)
    pdu = next(d for d in twin.plant.site.devices if d.kind is Kind.PDU and d.subject == "a1-03")
    shown = twin.values(pdu)["active_power_w"]
    assert shown == pytest.approx((idle[2] + expected[2]) * pdu.share)


async def test_urgent_and_flexible_jobs_both_load_but_are_told_apart(twin: Twin) -> None:
    cluster = Cluster([job({"gpu01": 8}, "gpu"), job({"gpu02": 8})])
    await follower(twin, cluster).refresh()
    twin.plant.step(3600.0)
    racks, totals = twin.plant.racks, twin.plant.totals
    assert totals.flexible == pytest.approx(racks.dynamic_w[2:4].sum(), rel=1e-3)
    assert totals.urgent == pytest.approx(racks.idle_w.sum() + racks.dynamic_w[:2].sum(), rel=1e-3)
    assert totals.work_gpu_s == pytest.approx(racks.gpus[2:4].sum() * 3600.0, rel=1e-3)
    assert totals.balance_error() < 1e-9


async def test_a_node_that_is_switched_off_draws_nothing(twin: Twin) -> None:
    await follower(twin, Cluster(off={"gpu04"})).refresh()
    twin.plant.step(1.0)
    assert twin.plant.racks.power_w[6:] == pytest.approx(0.0)
    assert twin.plant.racks.power_w[:6] == pytest.approx(twin.plant.racks.idle_w[:6])


async def test_while_slurm_does_not_answer_the_racks_stay_as_they_are(
    twin: Twin, caplog: pytest.LogCaptureFixture
) -> None:
    cluster = Cluster([job({"gpu01": 8})])
    follows = follower(twin, cluster)
    await follows.refresh()
    before = twin.plant.racks.occupied
    cluster.down = True
    await follows.refresh()
    await follows.refresh()
    assert twin.plant.racks.occupied is before
    assert caplog.text.count("no answer") == 1
    cluster.down, cluster.running = False, []
    await follows.refresh()
    assert "it answers again" in caplog.text
    assert follows.shown()["running_jobs"] == 0


@pytest.mark.parametrize(
    ("found", "flexible"),
    [
        (job({}), True),
        (job({}, "gpu"), False),
        (job({}, "gpu", "x igoudar:flexible"), True),
        (job({}, "flex", "igoudar:urgent"), False),
        (job({}, "gpu", qos="low"), True),
    ],
)
def test_the_site_s_rule_says_what_is_flexible(found: RunningJob, flexible: bool) -> None:
    assert is_flexible(found, replace(SLURM, flexible_qos=frozenset({"low"}))) is flexible


@given(
    st.lists(st.tuples(st.sampled_from([*NODES, "other"]), st.integers(0, 8), st.booleans()), max_size=12),
    st.integers(1, 8),
)
def test_no_rack_is_used_more_than_whole_by_one_job_and_all_of_it_is_counted(
    jobs: list[tuple[str, int, bool]], nodes: int
) -> None:
    names = NODES[:nodes]
    scheduling = replace(SLURM, nodes=deal(names, RACKS))
    known = {name: SlurmNode(name, 8, off=False) for name in names}
    running = [job({name: gpus}, "flex" if flexible else "gpu") for name, gpus, flexible in jobs]
    found = occupied(running, known, scheduling, {rack: i for i, rack in enumerate(RACKS)})
    for used, wanted in ((found.flexible, True), (found.urgent, False)):
        nodes_used = sum(gpus / 8 for name, gpus, flexible in jobs if name in names and flexible is wanted)
        assert used.sum() == pytest.approx(nodes_used * len(RACKS) / len(names))
    assert not found.off.any()


def test_the_summary_says_that_the_jobs_are_somebody_else_s(twin: Twin, inputs: Inputs) -> None:
    told = summary(twin)
    assert told["external"] == "slurm"
    assert told["import_wh_run_now"] is None
    assert told["jobs_seen"] == 0
    assert summary(Twin.fresh(inputs, START, 0.0))["external"] is None


def test_no_trace_is_replayed_on_a_followed_scheduler(followed: Site, tmp_path) -> None:
    with pytest.raises(ConfigError, match="Slurm's"):
        load_inputs(followed, 7, None, tmp_path / "jobs.csv")


def test_before_the_first_answer_the_racks_are_idle(twin: Twin) -> None:
    assert twin.plant.racks.occupied is not None
    assert not np.concatenate(twin.plant.racks.occupied).any()
