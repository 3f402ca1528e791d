"""DCGM text over HTTP: folding it gives the plant's values back."""

import re

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igoudar.core.model import MetricAddress, Point
from igoudar.simulators.faults import FaultBoard
from igoudar.simulators.http_server import HttpServer
from igoudar.simulators.metrics_server import MetricsPages, exposition, per_gpu
from tests.simulators.conftest import HeldPlant, firmware

GPUS = 72
LINE = re.compile(r"^(\w+)\{(.*)\} (\S+)$")
RACK = {
    "gpu_power_w": 86_400.0,
    "gpu_power_limit_w": 72 * 1200.0,
    "gpu_utilisation_pct": 97.5,
    "gpu_temperature_c": 61.0,
    "gpu_energy_wh": 1e6,
}
FOLDS = {"sum": sum, "mean": lambda xs: sum(xs) / len(xs), "max": max, "min": min}


@pytest.fixture
def board() -> FaultBoard:
    return FaultBoard({"gpu-a01": 0})


@pytest.fixture
async def pages(plant: HeldPlant, board: FaultBoard):
    plant.held["gpu-a01"] = dict(RACK)
    rack = firmware("gpu-a01", "dcgm-rack", plant)
    async with HttpServer(MetricsPages({"rack-a01": rack}, {"rack-a01": GPUS}, board)) as server:
        yield server


@pytest.fixture
async def client(pages: HttpServer):
    async with httpx.AsyncClient(base_url=pages.url, timeout=2, trust_env=False) as peer:
        yield peer


def samples(text: str) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for line in text.splitlines():
        if match := LINE.match(line):
            found.setdefault(match[1], []).append(float(match[3]))
    return found


async def test_folding_the_gpus_gives_the_rack(client: httpx.AsyncClient) -> None:
    got = samples((await client.get("/rack-a01/metrics")).text)
    assert {len(values) for values in got.values()} == {GPUS}
    assert sum(got["DCGM_FI_DEV_POWER_USAGE"]) == pytest.approx(86_400)
    assert sum(got["DCGM_FI_DEV_GPU_UTIL"]) / GPUS == pytest.approx(97.5)
    assert max(got["DCGM_FI_DEV_GPU_TEMP"]) == pytest.approx(61)
    assert sum(got["DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"]) == pytest.approx(3.6e12)
    assert set(got["DCGM_FI_DEV_POWER_MGMT_LIMIT"]) == {1200.0}
    assert max(got["DCGM_FI_DEV_GPU_UTIL"]) <= 100
    assert len(set(got["DCGM_FI_DEV_POWER_USAGE"])) > GPUS / 2


async def test_lines_look_like_the_exporters(client: httpx.AsyncClient) -> None:
    answer = await client.get("/rack-a01/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "# TYPE DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION counter" in answer.text
    keys = re.findall(r'(\w+)="', LINE.match(answer.text.splitlines()[2])[2])
    wanted = ["gpu", "UUID", "pci_bus_id", "device", "modelName", "Hostname", "DCGM_FI_DRIVER_VERSION"]
    assert keys == wanted
    assert len(set(re.findall(r'UUID="([^"]+)"', answer.text))) == GPUS


async def test_other_paths_are_not_found(client: httpx.AsyncClient) -> None:
    for path in ("/", "/metrics", "/rack-zz/metrics", "/rack-a01/other"):
        assert (await client.get(path)).status_code == 404
    assert (await client.post("/rack-a01/metrics")).status_code == 404


async def test_faults_show_on_the_wire(client: httpx.AsyncClient, board: FaultBoard) -> None:
    board.set("gpu-a01", "busy")
    assert (await client.get("/rack-a01/metrics")).status_code == 503
    board.set("gpu-a01", "garbage")
    assert samples((await client.get("/rack-a01/metrics")).content.decode("latin-1")) == {}
    board.set("gpu-a01", "wrong_unit")
    assert 'Hostname="another-host"' in (await client.get("/rack-a01/metrics")).text
    board.set("gpu-a01", "dead")
    with pytest.raises(httpx.RemoteProtocolError):
        await client.get("/rack-a01/metrics")


async def test_a_missing_value_has_no_line(plant: HeldPlant) -> None:
    rack = firmware("gpu-a01", "dcgm-rack", plant)
    text = exposition(rack.profile.points.values(), {"gpu_power_w": None}, 4, "rack")
    assert samples(text.decode()) == {}


@given(
    fold=st.sampled_from(sorted(FOLDS)),
    unit=st.sampled_from(["w", "c", "pct"]),
    value=st.floats(0, 100),
    gpus=st.integers(1, 80),
)
def test_any_fold_gives_its_value_back(fold: str, unit: str, value: float, gpus: int) -> None:
    point = Point(f"thing_{unit}", MetricAddress("M", fold))
    numbers = per_gpu(point, fold, value, gpus, "host")
    assert len(numbers) == gpus
    assert FOLDS[fold](numbers) == pytest.approx(value, abs=1e-6)
