"""A reader in another process, while the writer appends, merges and deletes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.core.store.samples import POWER, at, reading

from igoudar.core.store import parquet
from igoudar.core.store.parquet import ParquetStore

READER = """
import json, sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from igoudar.core.store.protocol import Series
from igoudar.core.store.reader import ParquetReader

start = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
reader, seen, reads = ParquetReader(Path(sys.argv[1])), 0, 0
while seen < int(sys.argv[2]):
    frame = reader.range([Series("pdu-1", "active_power_w")], start, start + timedelta(days=1))
    values = frame["value"].to_list()
    assert values == [float(second) for second in range(len(values))], values
    assert len(values) >= seen, (len(values), seen)
    latest = reader.latest()["pdu-1"].values["active_power_w"]
    assert latest >= seen - 1
    seen, reads = len(values), reads + 1
print(json.dumps({"reads": reads}))
"""


def test_a_reader_sees_every_acknowledged_batch_while_files_come_and_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "GRACE_S", 0.0)  # deleted under the reader's hands
    batches = 400
    with ParquetStore.open(tmp_path, hot_limit=4) as store:
        store.append([reading(0, 0.0)])
        command = [sys.executable, "-c", READER, str(tmp_path), str(batches)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as reader:
            for second in range(1, batches):
                store.append([reading(second, float(second))])
            output, _ = reader.communicate(timeout=60)
        assert reader.returncode == 0
        assert json.loads(output)["reads"] > 3
        assert store.range([POWER], at(0), at(batches)).height == batches
