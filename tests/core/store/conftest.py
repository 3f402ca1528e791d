"""Stores to test against: the embedded one, a real InfluxDB 1.6, and one from outside where it is named."""

import itertools
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.peers.influx import Proxy, influxd, influxql, proxy

from igoudar.core.model import Kind
from igoudar.core.store.influx import InfluxStore
from igoudar.core.store.influx_place import InfluxPlace, Origin
from igoudar.core.store.influx_reader import InfluxReader
from igoudar.core.store.parquet import ParquetStore
from igoudar.core.store.protocol import TelemetryReader, TelemetryStore
from igoudar.core.store.reader import ParquetReader

HOSTILE = 'pdu "2", a=b\'c%s é'
ORIGINS: Mapping[str, Origin] = {
    "pdu-1": Origin(Kind.PDU, "hall a"),
    "pdu-2": Origin(Kind.PDU),
    "turbine-1": Origin(Kind.TURBINE),
    HOSTILE: Origin(Kind.METER, "h,1=2"),
    **{f"meter-{number}": Origin(Kind.METER, "hall-b") for number in range(450)},
}
EXTERNAL = tuple(f"IGOUDAR_INFLUX_{name}" for name in ("URL", "TOKEN", "ORG", "BUCKET"))

Open = Callable[[], tuple[TelemetryStore, TelemetryReader]]
_numbers = itertools.count()


@pytest.fixture(scope="session")
def influx_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with influxd(tmp_path_factory.mktemp("influx")) as port:
        yield port


@pytest.fixture
def influx_proxy(influx_port: int) -> Iterator[Proxy]:
    with proxy(influx_port) as running:
        yield running


@pytest.fixture
def influx_place(influx_proxy: Proxy, tmp_path: Path) -> InfluxPlace:
    database = f"test_{next(_numbers)}"
    influxql(influx_proxy.url, f"CREATE DATABASE {database}")
    token = token_file(tmp_path, "secret")
    return InfluxPlace(influx_proxy.url, database, token, "lab", dict(ORIGINS))


def token_file(folder: Path, token: str) -> Path:
    path = folder / "token"
    path.write_text(token)
    path.chmod(0o600)
    return path


def external_place(folder: Path) -> InfluxPlace:
    missing = [name for name in EXTERNAL if not os.environ.get(name)]
    if missing:
        pytest.skip(f"no InfluxDB 2.x or 3.x: set {', '.join(missing)}")
    url, token, org, bucket = (os.environ[name] for name in EXTERNAL)
    site = f"test-{os.getpid()}-{next(_numbers)}"  # the bucket is shared: each test is a site of its own
    return InfluxPlace(url, bucket, token_file(folder, token), site, dict(ORIGINS), org)


@pytest.fixture(params=["parquet", "influx", pytest.param("external", marks=pytest.mark.external)])
def opened(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[TelemetryStore, TelemetryReader]]:
    """A store to write and a reader of the same samples, as another process would have one."""
    with ExitStack() as stack:
        if request.param == "parquet":
            store = stack.enter_context(ParquetStore.open(tmp_path / "store"))
            yield store, ParquetReader(tmp_path / "store")
            return
        place = (
            external_place(tmp_path)
            if request.param == "external"
            else request.getfixturevalue("influx_place")
        )
        reader = InfluxReader(place)
        stack.callback(reader.close)
        yield stack.enter_context(InfluxStore(place)), reader


@pytest.fixture
def store(opened: tuple[TelemetryStore, TelemetryReader]) -> TelemetryStore:
    return opened[0]


@pytest.fixture
def reader(opened: tuple[TelemetryStore, TelemetryReader]) -> TelemetryReader:
    return opened[1]
