"""Backup, restore and doctor, as a person runs them."""

import fcntl
import json
import os
import shutil
import sqlite3
import tarfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from igoudar.app import keeping
from igoudar.app.state import state_folder
from igoudar.collectors.spool import Spool
from igoudar.collectors.spool_disk import FolderDisk
from igoudar.control.records.state import Records
from igoudar.core.clock import SiteClock
from igoudar.core.errors import IgoudarError
from igoudar.core.i18n import codes
from igoudar.core.model import Reading, SpoolRules
from igoudar.core.store.parquet import ParquetStore
from igoudar.core.store.protocol import Series
from igoudar.core.store.reader import ParquetReader
from tests.control.records.lines import action

START = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
END = START + timedelta(days=1)
POWER = Series("pdu-1", "active_power_w")


def reading(second: int) -> Reading:
    return Reading(START + timedelta(seconds=second), "pdu-1", {"active_power_w": float(second)})


def run(*words: str | Path) -> Result:
    app = typer.Typer()
    keeping.add_commands(app)
    return CliRunner().invoke(app, [str(word) for word in words])


def answer(*words: str | Path) -> dict[str, Any]:
    result = run(*words, "--json")
    assert result.exit_code in {0, 1}, result.output
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return dict(json.loads(result.stdout))


def values(state: Path) -> list[float]:
    found: list[float] = ParquetReader(state / "store").range([POWER], START, END)["value"].to_list()
    return found


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A stopped site with ten samples, two merges and one record."""
    folder = state_folder("lab", tmp_path / "state")
    with ParquetStore.open(folder / "store", hot_limit=4) as store:
        for second in range(10):
            store.append([reading(second)])
    with closing(sqlite3.connect(folder / "state.sqlite")) as records, records:
        records.execute("CREATE TABLE action (reason TEXT)")
        records.execute("INSERT INTO action VALUES ('wind tonight')")
    return folder


def reasons(state: Path) -> list[str]:
    with closing(sqlite3.connect(state / "state.sqlite")) as records:
        return [str(row[0]) for row in records.execute("SELECT reason FROM action")]


def test_a_backup_of_a_running_site_restores_whole_in_an_empty_place(state: Path, tmp_path: Path) -> None:
    archive, other = tmp_path / "lab.tar", tmp_path / "other"
    with ParquetStore.open(state / "store", hot_limit=4) as store:
        store.append([reading(10)])
        made = answer("backup", archive, "--state", state)
        store.append([reading(11)])
    assert made["samples"] == 11
    assert archive.stat().st_mode & 0o077 == 0
    answer("restore", archive, "--state", other)
    assert values(other) == [float(second) for second in range(11)]
    assert reasons(other) == ["wind tonight"]
    with ParquetStore.open(other / "store") as store:
        store.append([reading(20)])
        assert store.last_time() == START + timedelta(seconds=20)


def test_what_a_killed_backup_left_goes_with_the_next_one(state: Path, tmp_path: Path) -> None:
    left, used = state / ".backup-dead", state / ".restore-alive"
    for folder in (left, used):
        folder.mkdir()
        (folder / "segment").write_text("x")
    descriptor = os.open(used, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        answer("backup", tmp_path / "lab.tar", "--state", state)
    finally:
        os.close(descriptor)
    assert not left.exists()
    assert used.exists()


def test_a_backup_holds_no_token(state: Path, tmp_path: Path) -> None:
    (state / "token").write_text("secret")
    run("backup", tmp_path / "lab.tar", "--state", state)
    with tarfile.open(tmp_path / "lab.tar") as tar:
        assert not [name for name in tar.getnames() if "token" in name]


def test_restore_leaves_a_full_state_alone_unless_forced(state: Path, tmp_path: Path) -> None:
    archive = tmp_path / "lab.tar"
    run("backup", archive, "--state", state)
    with ParquetStore.open(state / "store") as store:
        store.append([reading(99)])
    with pytest.raises(IgoudarError, match="--force"):
        answer("restore", archive, "--state", state)
    assert 99.0 in values(state)
    restored = answer("restore", archive, "--state", state, "--force")
    assert 99.0 not in values(state)
    assert 99.0 in values(Path(restored["aside"]))


def test_restore_refuses_while_a_process_writes(state: Path, tmp_path: Path) -> None:
    archive = tmp_path / "lab.tar"
    run("backup", archive, "--state", state)
    with (
        ParquetStore.open(state / "store"),
        pytest.raises(IgoudarError, match="another process"),
    ):
        answer("restore", archive, "--state", state, "--force")
    assert len(values(state)) == 10


@pytest.mark.parametrize("position", [0.2, 0.5, 0.8])
def test_a_damaged_backup_changes_nothing(state: Path, tmp_path: Path, position: float) -> None:
    archive = tmp_path / "lab.tar"
    run("backup", archive, "--state", state)
    content = bytearray(archive.read_bytes())
    content[int(len(content) * position)] ^= 0xFF
    archive.write_bytes(content[: len(content) // 2])
    with pytest.raises(IgoudarError):
        answer("restore", archive, "--state", state, "--force")
    assert len(values(state)) == 10
    assert not list(state.glob(".restore-*"))


def test_a_strange_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("x")
    with tarfile.open(tmp_path / "evil.tar", "w") as tar:
        tar.add(tmp_path / "x", arcname="../outside")
    with pytest.raises(IgoudarError, match="outside"):
        answer("restore", tmp_path / "evil.tar", "--state", tmp_path / "state")
    with pytest.raises(IgoudarError, match="no such backup"):
        answer("restore", tmp_path / "nowhere.tar", "--state", tmp_path / "state")


def test_a_dry_run_changes_nothing(state: Path, tmp_path: Path) -> None:
    archive = tmp_path / "lab.tar"
    assert answer("backup", archive, "--state", state, "--dry-run")["samples"] == 10
    assert not archive.exists()
    run("backup", archive, "--state", state)
    assert answer("restore", archive, "--state", tmp_path / "new", "--dry-run")["samples"] == 10
    assert not (tmp_path / "new").exists()


@pytest.fixture
def influx_site(tmp_path: Path) -> Path:
    """A site file whose samples are in an InfluxDB."""
    site = tmp_path / "site.toml"
    place = 'url = "https://db.example:8086"\nbucket = "igoudar"\ntoken_file = "/run/token"'
    seed = resources.files("igoudar.seeds").joinpath("jazari-lab.toml").read_text()
    site.write_text(f'{seed}\n[store]\nkind = "influx"\n{place}\n')
    return site


def test_of_a_site_with_an_influxdb_all_else_is_kept_and_its_samples_are_named_as_missing(
    state: Path, tmp_path: Path, influx_site: Path
) -> None:
    spooled(state, 30)
    recorded(state, "a")
    shutil.rmtree(state / "store")
    archive, other = tmp_path / "lab.tar", tmp_path / "other"
    told = run("backup", archive, influx_site, "--state", state).output
    assert "NOT in it: they are in the InfluxDB at https://db.example:8086, bucket igoudar" in told
    assert "influx backup" in told
    assert "samples up to" not in told
    assert answer("backup", archive, influx_site, "--state", state, "--dry-run")["samples"] == 0
    assert answer("restore", archive, influx_site, "--state", other)["notes"] == []
    assert waiting(other) == [START + timedelta(seconds=30)]
    assert (other / "state.sqlite").exists()
    assert not (other / "store").exists()


def test_what_a_former_store_holds_is_kept_and_not_taken_for_the_influxdb_s(
    state: Path, tmp_path: Path, influx_site: Path
) -> None:
    made = answer("backup", tmp_path / "lab.tar", influx_site, "--state", state)
    assert (made["samples"], made["notes"]) == (10, ["app.keep_influx_too"])


@pytest.mark.parametrize("dry_run", [(), ("--dry-run",)])
def test_a_site_file_that_can_not_be_read_is_no_claim_about_what_is_elsewhere(
    state: Path, tmp_path: Path, influx_site: Path, dry_run: tuple[str, ...]
) -> None:
    influx_site.write_text("[records\n")
    told = run("backup", tmp_path / "lab.tar", influx_site, "--state", state, *dry_run).output
    assert "NOT known whether this site keeps its records in a PostgreSQL" in told
    assert "the records (state.sqlite)" in told
    (state / "state.sqlite").unlink()
    told = run("backup", tmp_path / "lab.tar", influx_site, "--state", state, *dry_run).output
    assert "the records (" not in told
    assert f"no state.sqlite in {state}" in told
    shutil.rmtree(state / "store")
    with pytest.raises(IgoudarError, match="InfluxDB holds the samples is not known"):
        answer("backup", tmp_path / "lab.tar", influx_site, "--state", state, *dry_run)


def test_nothing_to_back_up_says_so(tmp_path: Path) -> None:
    with pytest.raises(IgoudarError, match="igoudar up"):
        answer("backup", tmp_path / "lab.tar", "--state", tmp_path / "empty")
    assert not list(tmp_path.iterdir())


def findings(state: Path) -> dict[str, str]:
    found = answer("doctor", "--state", state)["findings"]
    return {finding["code"].removeprefix("app.doctor_"): finding["level"] for finding in found}


def test_doctor_finds_a_healthy_site_healthy(state: Path) -> None:
    SiteClock(END, 0.0, 1.0).save(state / "clock.json")
    found = findings(state)
    assert {"store_ok", "records_ok", "permissions_ok", "lock_free", "site_clock_ok"} <= set(found)
    assert {code for code in found if found[code] == "fault"} <= {"disk_fault"}


def test_doctor_names_what_is_wrong(state: Path) -> None:
    hot = max((state / "store" / "hot").glob("*.parquet"))  # those before may have been merged already
    hot.write_bytes(hot.read_bytes()[:-1])
    (state / "state.sqlite").write_bytes(b"not a database" * 100)
    SiteClock(START - timedelta(days=9999), 0.0, 1.0).save(state / "clock.json")
    state.chmod(0o755)
    found = findings(state)
    assert found["segment_damaged"] == "fault"
    assert found["records_fault"] == "fault"
    assert found["site_clock_warning"] == "warning"
    assert found["permissions_warning"] == "warning"
    assert run("doctor", "--state", state).exit_code == 1


def test_doctor_says_who_writes_and_leaves_the_writer_alone(state: Path) -> None:
    with ParquetStore.open(state / "store") as store:
        assert "lock_held" in findings(state)
        store.append([reading(50)])


def test_doctor_reports_what_the_writer_set_aside(state: Path) -> None:
    next((state / "store" / "cold").rglob("*.parquet")).unlink()
    ParquetStore.open(state / "store").close()
    assert findings(state)["segment_quarantined"] == "warning"


def test_doctor_speaks_french(state: Path) -> None:
    assert "Registres : intacts." in run("doctor", "--state", state, "--lang", "fr").stdout


def test_every_code_has_both_languages() -> None:
    ours = {code for code in codes("en") if code.startswith(("app.keep_", "app.doctor_"))}
    assert ours
    assert ours <= set(codes("fr"))


def spooled(state: Path, *seconds: int) -> None:
    """Batches of one reading each that the store has not taken."""
    spool = Spool(FolderDisk(state / "spool"), SpoolRules())
    for second in seconds:
        spool.append([reading(second)])
    spool.save()


def waiting(state: Path) -> list[datetime]:
    batches = Spool(FolderDisk(state / "spool"), SpoolRules()).take(100)
    return [one.at for batch in batches for one in batch.readings]


def recorded(state: Path, *names: str) -> None:
    """Real records instead of the stand-in, with an audit of these lines."""
    (state / "state.sqlite").unlink(missing_ok=True)
    records = Records.open(state / "state.sqlite")
    for name in names:
        records.add([action(name)])
    records.close()


def test_a_backup_holds_what_the_store_has_not_taken_and_the_anchors(state: Path, tmp_path: Path) -> None:
    spooled(state, 30, 31)
    recorded(state, "a", "b")
    (state / "spool" / "lock").touch()
    made = answer("backup", tmp_path / "lab.tar", "--state", state)
    assert (made["spool_batches"], made["anchors"], made["records"]) == (2, 1, "state.sqlite")
    spooled(state, 32)
    other = tmp_path / "other"
    assert answer("restore", tmp_path / "lab.tar", "--state", other)["spool_batches"] == 2
    assert waiting(other) == [START + timedelta(seconds=second) for second in (30, 31)]
    assert (other / "audit.anchor").read_bytes() == (state / "audit.anchor").read_bytes()
    found = findings(other)
    assert (found["audit_ok"], found["spool_ok"]) == ("ok", "ok")
    with tarfile.open(tmp_path / "lab.tar") as tar:
        assert "spool/lock" not in tar.getnames()


def test_an_anchor_that_is_there_is_never_replaced_by_an_older_one(state: Path, tmp_path: Path) -> None:
    recorded(state, "a")
    run("backup", tmp_path / "lab.tar", "--state", state)
    recorded_again = Records.open(state / "state.sqlite")
    recorded_again.add([action("b")])
    recorded_again.close()
    anchored = (state / "audit.anchor").read_bytes()
    answer("restore", tmp_path / "lab.tar", "--state", state, "--force")
    assert (state / "audit.anchor").read_bytes() == anchored
    assert findings(state)["audit_broken"] == "fault"  # the restored audit lacks a line that was anchored


def test_a_backup_of_the_first_kind_is_still_restored(state: Path, tmp_path: Path) -> None:
    run("backup", tmp_path / "new.tar", "--state", state)
    with tarfile.open(tmp_path / "new.tar") as new, tarfile.open(tmp_path / "old.tar", "w") as old:
        for member in new.getmembers():
            content = new.extractfile(member)
            if content is None or member.name == "backup.json":
                continue
            old.addfile(member, content)
        known = ("created_at", "store_schema", "samples", "last_time", "records_sha256")
        header = json.loads(new.extractfile("backup.json").read())  # type: ignore[union-attr]
        (tmp_path / "backup.json").write_text(json.dumps({"schema": 1, **{n: header[n] for n in known}}))
        old.add(tmp_path / "backup.json", arcname="backup.json")
    assert answer("restore", tmp_path / "old.tar", "--state", tmp_path / "other")["samples"] == 10
    assert reasons(tmp_path / "other") == ["wind tonight"]


def test_doctor_says_what_waits_and_for_how_long(state: Path) -> None:
    spooled(state, 0, 5)
    SiteClock(START + timedelta(hours=2), time.monotonic(), 1.0).save(state / "clock.json")
    (state / "spool" / "quarantine").mkdir()
    (state / "spool" / "quarantine" / "1.json").write_text("{}")
    found = {one["code"]: one for one in answer("doctor", "--state", state)["findings"]}
    late = found["app.doctor_spool_warning"]
    assert (late["level"], late["params"]["batches"], late["params"]["minutes"]) == ("warning", 2, 120)
    assert found["app.doctor_spool_aside"]["params"]["files"] == 1
    SiteClock(START + timedelta(minutes=2), time.monotonic(), 1.0).save(state / "clock.json")
    assert findings(state)["spool_ok"] == "ok"


def test_doctor_finds_an_audit_that_was_edited_or_cut(state: Path) -> None:
    recorded(state, "a", "b")
    assert findings(state)["audit_ok"] == "ok"
    with closing(sqlite3.connect(state / "state.sqlite")) as database, database:
        database.execute("UPDATE actions SET target = 'other' WHERE id = 1")
    assert findings(state)["audit_broken"] == "fault"
    (state / "audit.anchor").unlink()
    codes_found = [one["params"] for one in answer("doctor", "--state", state)["findings"]]
    assert any("missing or empty" in str(params.get("problem", "")) for params in codes_found)
    assert run("doctor", "--state", state).exit_code == 1


def test_doctor_leaves_records_of_an_older_kind_as_they_are(state: Path) -> None:
    before = (state / "state.sqlite").read_bytes()
    assert not {code for code in findings(state) if code.startswith("audit")}
    assert (state / "state.sqlite").read_bytes() == before
