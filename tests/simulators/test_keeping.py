"""Checkpoints on disk: whole, the newest one, and clear when they can't be used."""

from pathlib import Path

import pytest

from igoudar.core.errors import ConfigError
from igoudar.simulators.devices import Firmwares
from igoudar.simulators.faults import FaultBoard
from igoudar.simulators.keeping import Keeper, load_checkpoint
from igoudar.simulators.twin import Inputs, Twin
from tests.simulators.conftest import START, HeldPlant, firmware


def keeper(path: Path, inputs: Inputs, twin: Twin) -> Keeper:
    inverter = firmware("inverter-1", "sunspec-inverter", HeldPlant())
    return Keeper(path, inputs, twin, Firmwares([inverter]), FaultBoard({"inverter-1": 0}))


async def test_devices_and_faults_come_back_with_the_plant(tmp_path: Path, inputs: Inputs) -> None:
    twin, path = Twin.fresh(inputs, START, 0.0), tmp_path / "plant.msgpack"
    first = keeper(path, inputs, twin)
    first._firmwares["inverter-1"].write("limit_pct", 40)
    first._faults.set("inverter-1", "slow:2")
    assert await first.save() == path
    second = keeper(path, inputs, twin)
    kept = load_checkpoint(path)
    assert kept is not None
    second.restore(kept)
    assert second._firmwares["inverter-1"].values()["limit_pct"] == 40
    assert second._faults.active() == {"inverter-1": "slow:2"}
    assert list(tmp_path.iterdir()) == [path]


def test_a_checkpoint_that_was_late_does_not_replace_a_later_one(tmp_path: Path, inputs: Inputs) -> None:
    path = tmp_path / "plant.msgpack"
    one = keeper(path, inputs, Twin.fresh(inputs, START, 0.0))
    early, late = one._packed(), one._packed()
    one._write(*late)
    path.unlink()
    one._write(*early)
    assert not path.exists()


def test_no_checkpoint_is_a_first_start_and_a_broken_one_an_error(tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path / "none") is None
    broken = tmp_path / "plant.msgpack"
    broken.write_bytes(b"half")
    with pytest.raises(ConfigError, match=r"plant\.msgpack"):
        load_checkpoint(broken)
    with pytest.raises(ConfigError, match="can't be read"):
        load_checkpoint(tmp_path)
