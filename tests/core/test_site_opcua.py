"""`[[links.opcua]]` of a site file."""

from pathlib import Path

import pytest

from igoudar.collectors.profiles import load_profiles
from igoudar.core.errors import ConfigError
from igoudar.core.model import OpcUaServer
from igoudar.core.site import load_site

from .test_site import SITE

DEVICE = """
[[devices]]
name = "wt-1"
profile = "iec61400-25-turbine"
address = "opc.tcp://10.3.0.1:4840/WT01"
subject = "site"
"""
PLAIN = 'server = "opc.tcp://10.3.0.1:4840"\nsecurity = "none"\n'


def load(tmp_path: Path, entry: str = ""):
    path = tmp_path / "site.toml"
    path.write_text(SITE + DEVICE + (f"\n[[links.opcua]]\n{entry}" if entry else ""))
    return load_site(str(path), load_profiles())


def test_line_32_without_a_word_a_server_is_no_exception(tmp_path: Path) -> None:
    assert load(tmp_path).opcua == ()


def test_line_32_an_exception_has_a_name_and_a_reason(tmp_path: Path) -> None:
    found = load(tmp_path, PLAIN + 'reason = "its firmware has no certificates; network plant-ot"')
    reason = "its firmware has no certificates; network plant-ot"
    assert found.opcua == (OpcUaServer("opc.tcp://10.3.0.1:4840", "none", reason),)


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (PLAIN, "an exception without a reason"),
        ('server = "opc.tcp://10.3.0.2:4840"', "no device is at"),
        ('server = "10.3.0.1:4840"', "links.opcua[1].server"),
        ('server = "opc.tcp://10.3.0.1:4840"\nsecurity = "sign"', "links.opcua[1].security"),
        ('server = "opc.tcp://10.3.0.1:4840"\nuser_file = "/run/user"', "a name and a password"),
        (
            PLAIN + 'reason = "x"\nuser_file = "/run/user"\npassword_file = "/run/password"',
            "never sent in the clear",
        ),
        ('server = "opc.tcp://10.3.0.1:4840"\npassword = "secret"', "unknown key"),
    ],
)
def test_what_is_wrong_with_a_link_is_said_by_name(tmp_path: Path, entry: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, entry)
    assert problem in str(caught.value)
    assert "links.opcua[1]" in str(caught.value)
