"""`[caps]` and `[links.redfish]` of a site file: agents by pattern, certificates, limits that make sense."""

from pathlib import Path

import pytest

from igoudar.collectors.profiles import load_profiles
from igoudar.core.errors import ConfigError
from igoudar.core.model import RedfishLogin, Site
from igoudar.core.model_caps import CapAgent
from igoudar.core.site import load_site, locate_site

CAPS = """
[caps]
ca = "/etc/igoudar/caps-ca.pem"
certificate = "/etc/igoudar/control.pem"
key = "/etc/igoudar/control.key"
minimum = "600 W"
default = "1.2 kW"
life = "15m"

[[caps.agents]]
node = "gb-{rack:01..08}-{n:01..18}"
url = "https://10.20.{rack%8}.{n%18}:8470"
racks = ["a1-{rack}"]
gpus = 4
"""
REDFISH = """
[links.redfish]
user_file = "/etc/igoudar/redfish-user"
password_file = "/etc/igoudar/redfish-password"
session = false
"""


def load(folder: Path, more: str, old: str = "", new: str = "") -> Site:
    with locate_site("jazari-lab") as seed:
        text = seed.read_text()
    assert old in text + more
    path = folder / "small.toml"
    path.write_text((text + more).replace(old, new) if old else text + more)
    return load_site(str(path), load_profiles())


def test_agents_are_expanded_like_everything_else(tmp_path: Path) -> None:
    caps = load(tmp_path, CAPS).caps
    assert len(caps.agents) == 8 * 18
    assert caps.agents[19] == CapAgent("gb-02-02", "https://10.20.2.2:8470", ("a1-02",), 4)
    assert (caps.minimum_w, caps.default_w, caps.life_s) == (600.0, 1200.0, 900.0)
    assert caps.by_node["gb-08-18"].racks == ("a1-08",)


def test_a_site_without_agents_says_nothing(tmp_path: Path) -> None:
    assert load(tmp_path, "").caps.agents == ()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('ca = "/etc/igoudar/caps-ca.pem"', "", "caps.ca"),
        ('minimum = "600 W"', 'minimum = "2 kW"', "minimum has to be below default"),
        ('minimum = "600 W"', "", "minimum has to be below default"),
        ('racks = ["a1-{rack}"]', 'racks = ["a9-{rack}"]', "there is no rack"),
        ("{n%18}:8470", "1:8470", "agents have the url"),
        ("https://10", "http://10", "caps.agents[1].url"),
        ("url = ", "urls = ", "urls"),
        ('life = "15m"', 'life = "1s"', "life"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, old: str, new: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, CAPS, old, new)
    assert words in str(caught.value)


def test_the_account_at_redfish_services(tmp_path: Path) -> None:
    login = load(tmp_path, REDFISH).redfish
    assert login == RedfishLogin("/etc/igoudar/redfish-user", "/etc/igoudar/redfish-password", session=False)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('password_file = "/etc/igoudar/redfish-password"', "", "name and a password"),
        ("redfish-https://", "redfish-http://", "never sent in the clear"),
        ("redfish/v1/Chassis/powershelf", "redfish/v1/Systems/1", "redfish-https://HOST:PORT"),
    ],
)
def test_a_wrong_redfish_link_is_named(tmp_path: Path, old: str, new: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        load(tmp_path, REDFISH, old, new)
