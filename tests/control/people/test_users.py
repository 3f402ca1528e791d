from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from igoudar.control.api.tokens import open_tokens
from igoudar.control.errors import UnknownNameError
from igoudar.control.people.door import Door
from igoudar.control.people.roles import Person, Role
from igoudar.control.people.users import Users, role_word
from igoudar.control.records.audit import verify
from igoudar.control.records.state import Records
from igoudar.core.errors import CommandError, ConfigError

T0 = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    opened = Records.open(tmp_path / "state.sqlite")
    yield opened
    opened.close()


def test_a_token_is_shown_once_and_only_its_hash_is_kept(records: Records, tmp_path: Path) -> None:
    token = Users(records).add("ada", Role.SUPERVISOR, "local:root", T0)
    assert len(token) > 43
    assert Users(records).person(token) == Person("ada", Role.SUPERVISOR)
    records.close()
    assert token.encode() not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


def test_every_change_is_an_audit_line(records: Records) -> None:
    users = Users(records)
    token = users.add("ada", Role.OPERATOR, "local:root", T0)
    users.disable("ada", "local:eve", T0)
    users.disable("ada", "local:eve", T0)
    assert users.person(token) is None
    lines = [(row.who, row.verb, row.target, row.before, row.after) for row in reversed(records.actions())]
    assert lines == [
        ("local:root", "user_add", "ada", None, "operator"),
        ("local:eve", "user_disable", "ada", "operator", "disabled"),
    ]
    assert verify(records).whole


@pytest.mark.parametrize(
    "name", ["control", "operator", "oidc:ada", "", "a b", "Ada", "-x", "x" * 65, "\x1b"]
)
def test_names_that_mean_somebody_else_or_nothing_are_refused(records: Records, name: str) -> None:
    with pytest.raises(CommandError):
        Users(records).add(name, Role.VIEWER, "x", T0)
    assert records.actions() == []


def test_a_name_is_given_once(records: Records) -> None:
    users = Users(records)
    users.add("ada", Role.VIEWER, "x", T0)
    users.disable("ada", "x", T0)
    with pytest.raises(CommandError, match="taken"):
        users.add("ada", Role.ADMIN, "x", T0)
    with pytest.raises(UnknownNameError):
        users.disable("eve", "x", T0)


def test_roles_are_ordered_and_named() -> None:
    assert Role.VIEWER < Role.OPERATOR < Role.SUPERVISOR < Role.ADMIN
    assert role_word("admin") is Role.ADMIN
    with pytest.raises(ConfigError, match="unknown role"):
        role_word("root")


def test_the_tokens_of_the_state_folder_open_on_this_host_only(records: Records, tmp_path: Path) -> None:
    door = Door(open_tokens(tmp_path), Users(records))
    header = f"Bearer {(tmp_path / 'token').read_text().strip()}"
    assert door.person(header, local=True) == Person("operator", Role.OPERATOR)
    assert door.person(header, local=False) is None
    named = Users(records).add("ada", Role.VIEWER, "x", T0)
    assert door.person(f"bearer {named}", local=False) == Person("ada", Role.VIEWER)
    for header in (
        "",
        "Bearer",
        f"Basic {named}",
        "Bearer igd_",
        f"Bearer {named}x",
        "Bearer " + "x" * 10_000,
    ):
        assert door.person(header, local=True) is None


def test_the_tokens_of_the_state_folder_open_without_a_database(records: Records, tmp_path: Path) -> None:
    door = Door(open_tokens(tmp_path), Users(records))
    (tmp_path / "state.sqlite").write_bytes(b"gone")
    header = f"Bearer {(tmp_path / 'token').read_text().strip()}"
    assert door.person(header, local=True) == Person("operator", Role.OPERATOR)
