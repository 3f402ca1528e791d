"""What every test may use: real programs (or a stated skip) and the shared data."""

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.peers.slurm import Cluster, cluster

# No deadline: these machines are noisy, and a figure of speed is no test. `make soak` looks longer.
settings.register_profile(
    "igoudar", max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("soak", parent=settings.get_profile("igoudar"), max_examples=1000)
settings.load_profile(os.environ.get("IGOUDAR_HYPOTHESIS", "igoudar"))

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real series and traces; tests that need it skip where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"no measured data at {SHARED}")
    return SHARED


@pytest.fixture(scope="session")
def slurm_cluster() -> Iterator[Cluster]:
    """A real Slurm of 8 nodes for all tests of `xdist_group("slurm")`, which share one worker and so this."""
    with cluster(8) as running:
        yield running


@pytest.fixture
def slurm(slurm_cluster: Cluster) -> Iterator[Cluster]:
    """The real Slurm, with no jobs, no reservations and every node in service."""
    slurm_cluster.clear()
    yield slurm_cluster
    slurm_cluster.clear()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where peers are required a skip is a failure, but for what CI can't have (`external`)."""
    report = yield
    allowed = os.environ.get("IGOUDAR_REQUIRE_PEERS") != "1" or item.get_closest_marker("external")
    if report.skipped and not allowed:
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be: {report.longrepr}"
    return report
