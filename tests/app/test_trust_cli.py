import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from igoudar.app.trust_cli import add_commands
from igoudar.collectors.certificates import self_signed
from igoudar.collectors.faults import LinkFault
from igoudar.collectors.trust import TrustStore, fingerprint_of
from igoudar.core.errors import ConfigError

SERVER = self_signed("urn:test:server", "turbine")
FINGERPRINT = fingerprint_of(SERVER.certificate)


@pytest.fixture
def store(tmp_path: Path) -> TrustStore:
    found = TrustStore(tmp_path / "pki")
    with pytest.raises(LinkFault):
        found.check(SERVER.certificate, "opc.tcp://10.0.0.5:4840")
    return found


def run(store: TrustStore, *words: str, **rest: str) -> Result:
    app = typer.Typer()
    add_commands(app)
    state = ["--state", str(store._folder.parent)]
    return CliRunner().invoke(app, ["trust", *words, *state], env={"IGOUDAR_LANG": "en"}, **rest)


def states(store: TrustStore) -> dict[str, str]:
    found = json.loads(run(store, "list", "--json").stdout)["certificates"]
    return {one["fingerprint"]: one["state"] for one in found}


def test_list_shows_ours_and_the_rejected_with_where_it_was_seen(store: TrustStore) -> None:
    assert states(store)[FINGERPRINT] == "rejected"
    assert sorted(states(store).values()) == ["own", "rejected"]
    document = json.loads(run(store, "list", "--json").stdout)["certificates"][1]
    assert document["server"] == "opc.tcp://10.0.0.5:4840"
    assert document["uri"] == "urn:test:server"
    shown = run(store, "list", "--lang", "fr")
    assert shown.exit_code == 0
    assert "refusé" in shown.stdout


def test_add_and_remove(store: TrustStore) -> None:
    done = run(store, "add", FINGERPRINT[:12], "--yes")
    assert done.exit_code == 0, done.output
    assert "is trusted now" in done.stdout
    assert states(store)[FINGERPRINT] == "trusted"
    store.check(SERVER.certificate, "x")
    assert json.loads(run(store, "remove", FINGERPRINT[:12], "--yes", "--json").stdout)["dry_run"] is False
    assert FINGERPRINT not in states(store)


def test_dry_run_changes_nothing(store: TrustStore) -> None:
    assert "Would trust" in run(store, "add", FINGERPRINT, "--dry-run").stdout
    assert states(store)[FINGERPRINT] == "rejected"
    run(store, "add", FINGERPRINT, "--yes")
    assert "Nothing was done" in run(store, "remove", FINGERPRINT, "--dry-run").stdout
    assert states(store)[FINGERPRINT] == "trusted"


def test_a_person_is_asked_and_may_say_no(store: TrustStore) -> None:
    answer = run(store, "add", FINGERPRINT, input="n\n")
    assert answer.exit_code == 1
    assert FINGERPRINT in answer.output
    assert states(store)[FINGERPRINT] == "rejected"


def test_a_certificate_in_a_file(store: TrustStore, tmp_path: Path) -> None:
    other = self_signed("urn:test:other", "other")
    file = tmp_path / "other.der"
    file.write_bytes(other.certificate)
    assert run(store, "add", str(file), "--yes").exit_code == 0
    assert states(store)[fingerprint_of(other.certificate)] == "trusted"
    file.write_text("no certificate")
    assert isinstance(run(store, "add", str(file), "--yes").exception, ConfigError)


@pytest.mark.parametrize("which", ["ffffffffffff", FINGERPRINT[:4], "", "../own/key"], ids=range(4))
def test_only_a_known_fingerprint_is_taken(store: TrustStore, which: str) -> None:
    answer = run(store, "add", which, "--yes")
    assert isinstance(answer.exception, ConfigError)
    assert "trust list" in answer.exception.fix
