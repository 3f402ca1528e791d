"""The agent's way to NVML on a host that has a GPU and lets us set its limit; the limit is put back."""

from collections.abc import Iterator

import pytest

from igoudar.control.caps_agent.bounds import holds
from igoudar.control.caps_agent.gpus import Gpu, GpuError
from igoudar.control.caps_agent.nvml import Nvml

pytestmark = pytest.mark.external


@pytest.fixture
def nvml() -> Iterator[Nvml]:
    found = Nvml()
    try:
        found.look()
    except GpuError as error:
        pytest.skip(f"no GPU here: {error}")
    yield found
    found.close()


def test_a_real_gpu_says_what_it_holds_and_may_hold(nvml: Nvml) -> None:
    for gpu in nvml.look():
        assert gpu.uuid.startswith("GPU-")
        assert 0 < gpu.minimum_w <= gpu.limit_w <= gpu.maximum_w
        assert gpu.minimum_w <= gpu.default_w <= gpu.maximum_w
    assert nvml.driver()


def test_a_real_gpu_takes_a_lower_limit_and_reads_it_back(nvml: Nvml) -> None:
    before = nvml.look()[0]
    wanted_w = max(before.minimum_w, before.limit_w - 10.0)
    try:
        nvml.set_limit(before.uuid, wanted_w)
    except GpuError as error:
        pytest.skip(f"this process may not set limits: {error}")
    try:
        assert holds(_again(nvml, before), wanted_w)
    finally:
        nvml.set_limit(before.uuid, before.limit_w)
    assert holds(_again(nvml, before), before.limit_w)


def _again(nvml: Nvml, gpu: Gpu) -> Gpu:
    return next(one for one in nvml.look() if one.uuid == gpu.uuid)
