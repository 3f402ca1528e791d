"""What a site file may say of its scheduler."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igoudar.core.control_tables.scheduler import SchedulerTable, check_scheduler, scheduling
from igoudar.core.errors import ConfigError
from igoudar.core.model_scheduler import Scheduling, deal
from igoudar.core.strict_toml import bind

RACKS = [f"a1-{number:02d}" for number in range(1, 9)]
SLURM = {"kind": "slurm", "slurm_conf": "/etc/slurm/slurm.conf", "flexible_partitions": ["flex"]}


def table(said: Mapping[str, object]) -> SchedulerTable:
    return bind(said, SchedulerTable, "site.toml")


def problems(said: Mapping[str, object]) -> list[str]:
    return [str(problem) for problem in check_scheduler(table(said), RACKS, "site.toml")]


def test_a_site_that_says_nothing_has_the_simulated_cluster() -> None:
    assert scheduling(table({})) == Scheduling()
    assert not problems({})


def test_a_slurm_with_its_nodes() -> None:
    said = SLURM | {"watts_licence": "watts", "racks_per_node": {"gpu{01..04}": ["a1-{01..08}"]}}
    assert not problems(said)
    built = scheduling(table(said))
    assert built.racks_of["gpu02"] == (("a1-03", 1.0), ("a1-04", 1.0))
    assert built.flexible_partitions == {"flex"}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"kind": "slurm"}, "Slurm needs its slurm.conf"),
        ({"watts_licence": "watts"}, "watts_licence is Slurm's"),
        (SLURM | {"racks_per_node": {"gpu1": ["a1-0{1..9}"]}}, "there is no rack 'a1-09'"),
        (SLURM | {"racks_per_node": {"gpu{1..2}": ["a1-01"], "x": ["a1-01"]}}, "'a1-01' stands in two lines"),
        (SLURM | {"racks_per_node": {"gpu1": ["a1-01"], "gpu{1..2}": ["a1-02"]}}, "'gpu1' stands here twice"),
        (SLURM | {"racks_per_node": {"gpu{1..": ["a1-01"]}}, "brace"),
    ],
)
def test_a_slip_is_told(said: Mapping[str, object], expected: str) -> None:
    assert any(expected in problem for problem in problems(said))


@pytest.mark.parametrize(
    "said",
    [
        {"kind": "pbs"},
        {"slurm_conf": "slurm.conf"},
        {"flexible_partitions": ["a b"]},
        {"flexible_comment": ""},
        {"watts_licence": "1watt"},
        {"flexible_partition": ["flex"]},
    ],
)
def test_what_no_scheduler_can_be_is_refused(said: Mapping[str, object]) -> None:
    with pytest.raises(ConfigError):
        table(said)


@given(st.integers(1, 40), st.integers(1, 60))
def test_every_rack_is_dealt_out_whole_and_every_node_gets_the_same(nodes: int, racks: int) -> None:
    dealt = deal([f"n{number}" for number in range(nodes)], [f"r{number}" for number in range(racks)])
    given_out: dict[str, float] = {}
    for node in dealt:
        assert sum(part for _, part in node.racks) == pytest.approx(racks / nodes)
        for rack, part in node.racks:
            given_out[rack] = given_out.get(rack, 0.0) + part
    assert list(given_out.values()) == pytest.approx([1.0] * racks)
