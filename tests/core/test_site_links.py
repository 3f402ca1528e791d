"""How a site's links are protected: files for TLS, a named network for what has none, serial ports."""

from pathlib import Path

import pytest

from igoudar.collectors.profiles import load_profiles
from igoudar.core.errors import ConfigError
from igoudar.core.model import Site, TlsFiles
from igoudar.core.site import load_site

SITE = """
name = "small"
title = "Small"

[place]
latitude_deg = 23.7
longitude_deg = -15.9
time_zone = "Africa/El_Aaiun"

[[feeds]]
name = "grid"
kind = "grid"
rated = "1 MW"

[[devices]]
name = "meter-{n:1..2}"
profile = "schneider-iem3000"
address = "ADDRESS"
subject = "grid"
role = "grid"
share = "1/2"

"""


def load(folder: Path, address: str, links: str = "") -> Site:
    path = folder / "small.toml"
    path.write_text(SITE.replace("ADDRESS", address) + links)
    return load_site(str(path), load_profiles())


@pytest.mark.parametrize(
    "address",
    [
        "modbus-tls://10.0.0.{n}:802/1",
        "modbus-rtu:///dev/ttyUSB0/{n}",
        "modbus-rtu:///dev/ttyUSB0?baud=9600&parity=N/{n}",
        "modbus-rtu:///dev/serial/by-id/usb-x?baud=9600/{n}",
    ],
)
def test_a_meter_may_be_reached_in_each_of_these_ways(tmp_path: Path, address: str) -> None:
    assert load(tmp_path, address).devices[1].address == address.replace("{n}", "2")


@pytest.mark.parametrize(
    "address", ["modbus-tls://10.0.0.{n}/1", "modbus-rtu://ttyUSB0/{n}", "modbus-udp://10.0.0.{n}:502/1"]
)
def test_any_other_address_is_refused_with_the_forms_that_there_are(tmp_path: Path, address: str) -> None:
    with pytest.raises(ConfigError, match="modbus-tls://HOST:PORT/UNIT"):
        load(tmp_path, address)


def test_line_33_tls_files_and_the_network_reach_the_model(tmp_path: Path) -> None:
    links = """
[links]
network = "VLAN 12, behind the plant firewall"
[links.tls]
ca = "/etc/igoudar/plant-ca.pem"
certificate = "~/collector.pem"
key = "~/collector.key"
"""
    site = load(tmp_path, "modbus-tls://10.0.0.{n}:802/1", links)
    assert site.tls == TlsFiles(
        "/etc/igoudar/plant-ca.pem", "~/collector.pem", "~/collector.key", verify=True
    )
    assert site.network == "VLAN 12, behind the plant firewall"


@pytest.mark.parametrize(
    ("links", "words"),
    [
        ('[links.tls]\ncertificate = "/a.pem"\n', "a certificate needs its key"),
        ("[links.tls]\nverify = false\n", "an exception without a reason"),
        ('[links.tls]\nca = "plant-ca.pem"\n', "ca"),
        ('[links.tls]\ncafile = "/a.pem"\n', "unknown key"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, links: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        load(tmp_path, "modbus-tls://10.0.0.{n}:802/1", links)
