"""The exporter scrape: its text, its folds, and servers that misbehave."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igoudar.collectors.faults import LinkFault
from igoudar.collectors.http_link import HttpLink
from igoudar.collectors.profiles import load_profiles
from igoudar.collectors.prometheus import PrometheusReader, parse
from igoudar.core.model import Quality, Reason

DCGM = load_profiles()["dcgm-rack"]

TEXT = r"""
# HELP DCGM_FI_DEV_GPU_UTIL GPU utilization (in %).
# TYPE DCGM_FI_DEV_GPU_UTIL gauge
DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-1",modelName="a } \" b"} 40
DCGM_FI_DEV_GPU_UTIL{gpu="1",UUID="GPU-2"} 60 1717243200000
DCGM_FI_DEV_POWER_USAGE{gpu="0"} 100.5
DCGM_FI_DEV_POWER_USAGE{gpu="1"} 200
DCGM_FI_DEV_POWER_MGMT_LIMIT{gpu="0"} 1200
DCGM_FI_DEV_GPU_TEMP{gpu="0"} 40
DCGM_FI_DEV_GPU_TEMP{gpu="1"} 55
DCGM_FI_DEV_GPU_TEMP{gpu="2"} NaN
DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{gpu="0"} 3.6e9
up 1
"""


@asynccontextmanager
async def served(answer: bytes) -> AsyncIterator[PrometheusReader]:
    silent: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        if answer:
            writer.close()
        else:
            silent.append(writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    link = HttpLink(f"http://127.0.0.1:{port}/metrics", timeout_s=0.3)
    try:
        yield PrometheusReader(DCGM, link)
    finally:
        link.close()
        server.close()
        for writer in silent:
            writer.close()


def http(body: str, status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


async def test_samples_are_folded_as_the_profile_says() -> None:
    async with served(http(TEXT)) as reader:
        values, flags, source_at = await reader.read(slow=True)
    assert not flags
    assert source_at is None
    assert values == pytest.approx(
        {
            "gpu_power_w": 300.5,
            "gpu_power_limit_w": 1200.0,
            "gpu_utilisation_pct": 50.0,
            "gpu_temperature_c": 55.0,
            "gpu_energy_wh": 1000.0,
            "gpu_count": 2.0,
        }
    )


async def test_a_missing_metric_is_flagged_and_costs_only_itself() -> None:
    async with served(http('DCGM_FI_DEV_GPU_TEMP{gpu="0"} 40\n')) as reader:
        values, flags, _ = await reader.read(slow=True)
    assert values == {"gpu_temperature_c": 40.0}
    assert flags["gpu_power_w"] == (Quality.BAD, Reason.MISSING)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (http("", "503 Service Unavailable"), Reason.BUSY),
        (http("no", "404 Not Found"), Reason.EXCEPTION),
        (http("what is this?"), Reason.MALFORMED),
        (http('open{gpu="0" 1'), Reason.MALFORMED),
        (http("other 1"), Reason.MISSING),
        (b"garbage\r\n\r\n", Reason.MALFORMED),
        (b"", Reason.TIMEOUT),
    ],
)
async def test_every_way_to_misbehave_is_a_fault_with_its_reason(answer: bytes, reason: Reason) -> None:
    async with served(answer) as reader:
        with pytest.raises(LinkFault) as caught:
            await reader.read(slow=True)
    assert caught.value.reason is reason


async def test_nothing_listening_is_no_connection() -> None:
    reader = PrometheusReader(DCGM, HttpLink("http://127.0.0.1:1/metrics", 0.3))
    with pytest.raises(LinkFault) as caught:
        await reader.read(slow=True)
    assert caught.value.reason is Reason.NO_CONNECTION


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_text_parses_or_is_refused(text: bytes) -> None:
    try:
        for samples in parse(text).values():
            assert all(value == value for value in samples)
    except ValueError:
        pass
