import socket
from contextlib import closing
from pathlib import Path

import pytest

from igoudar.app.state import held, state_folder, write_whole
from igoudar.app.waiting import claim_port, endpoints_of_run
from igoudar.collectors.endpoints import Endpoints
from igoudar.core.errors import ConfigError


def test_the_state_folder_is_ours_alone(tmp_path: Path) -> None:
    folder = state_folder("jazari-lab", tmp_path / "deep" / "state")
    assert folder.stat().st_mode & 0o777 == 0o700


def test_the_environment_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IGOUDAR_STATE", str(tmp_path / "named"))
    assert state_folder("x", None) == tmp_path / "named"


def test_without_a_choice_each_site_has_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IGOUDAR_STATE", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert state_folder("a", None) == tmp_path / "igoudar" / "a"


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="--state"):
        state_folder("a", tmp_path / "file" / "below")


def test_one_supervisor_at_a_time(tmp_path: Path) -> None:
    with held(tmp_path), pytest.raises(ConfigError, match="another igoudar"), held(tmp_path):
        pass


def test_a_port_in_use_is_named_with_the_way_out() -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"port {port} .*--api-port"):
            claim_port(port, "--api-port")
    assert claim_port(0, "--api-port") > 0


async def test_broken_endpoints_are_refused(tmp_path: Path) -> None:
    (tmp_path / "clock.json").write_text("{}")
    (tmp_path / "endpoints.json").write_text("{}")
    with pytest.raises(ConfigError, match="no usable endpoints"):
        await endpoints_of_run(tmp_path, "")


def test_only_endpoints_opened_by_this_run_on_loopback_are_ours() -> None:
    ours = Endpoints("r", {"m": "modbus-tcp://127.0.0.1:5020/1"}, True, "http://127.0.0.1:9/")
    assert ours.all_opened_by("r")
    assert not ours.all_opened_by("other")
    assert not ours.all_opened_by("")
    real = Endpoints("r", {"m": "modbus-tcp://10.0.0.9:502/1"}, True, "http://127.0.0.1:9/")
    assert not real.all_opened_by("r")


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "parts.json"
    write_whole(path, {"a": 1})
    write_whole(path, {"a": 2})
    assert list(tmp_path.iterdir()) == [path]
