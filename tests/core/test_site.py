import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from igoudar.collectors.profiles import load_profiles
from igoudar.core.errors import ConfigError
from igoudar.core.model import Kind, Prices
from igoudar.core.site import load_site
from igoudar.core.strict_toml import ConfigFileError

SITE = """
name = "small"
title = "A small site"

[place]
latitude_deg = 23.7
longitude_deg = -15.9
time_zone = "Africa/El_Aaiun"

[solar]
ac = "600 kW"

[grid]
import_limit = "1 MW"

[[halls]]
name = "hall-a"

[[feeds]]
name = "grid"
kind = "grid"
rated = "1 MW"

[[feeds]]
name = "hall-a"
kind = "feeder"
parent = "grid"
rated = "1 MW"

[[racks]]
name = "a1-{position:01..04}"
hall = "hall-a"
row = "a1"
position = "{position}"
gpus = 72
peak = "132 kW"
idle = "29 kW"
feeds = ["hall-a"]
cdu = "cdu-{position/2}"

[[devices]]
name = "pdu-a1-{position:01..04}-{side:a,b}"
profile = "xerus-pdu"
address = "modbus-tcp://10.0.{side%2}.{position%4}:502/1"
subject = "a1-{position}"
hall = "hall-a"
share = "1/2"

[[devices]]
name = "cdu-{n:1..2}"
profile = "generic-cdu"
address = "modbus-tcp://10.0.9.{n}:502/1"
subject = "cdu-{n}"

[[devices]]
name = "inverter-{n:1..3}"
profile = "sunspec-inverter"
address = "modbus-tcp://10.1.0.{n}:502/1"
subject = "pv"
share = "1/3"
allow = ["limit_pct"]

[[devices]]
name = "meter-grid"
profile = "schneider-iem3000"
address = "modbus-tcp://10.2.0.1:502/1"
subject = "grid"
role = "grid"
"""


@pytest.fixture
def load(tmp_path):
    def from_text(text):
        path = tmp_path / "small.toml"
        path.write_text(text)
        return load_site(str(path), load_profiles())

    return from_text


def problems(load, text):
    with pytest.raises(ConfigError) as raised:
        load(text)
    return str(raised.value)


def said(call, otherwise):
    """The words of the configuration error, or `otherwise`; any other error is a failure."""
    try:
        call()
    except ConfigError as error:
        return str(error)
    return otherwise


def changed(old, new, count=1):
    assert old in SITE
    return SITE.replace(old, new, count)


def test_a_file_becomes_a_site(load):
    site = load(SITE)
    assert len(site.devices) == 8 + 2 + 3 + 1
    assert site.it_w == pytest.approx(528e3)
    assert site.solar.ac_w == pytest.approx(600e3)
    assert [rack.cdu for rack in site.racks] == ["cdu-1", "cdu-1", "cdu-2", "cdu-2"]
    assert [rack.position for rack in site.racks] == [1, 2, 3, 4]
    pdu = next(d for d in site.devices if d.name == "pdu-a1-03-b")
    assert (pdu.kind, pdu.address, pdu.subject, pdu.share) == (
        Kind.PDU,
        "modbus-tcp://10.0.2.3:502/1",
        "a1-03",
        0.5,
    )
    assert sum(d.share for d in site.devices if d.subject == "pv") == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize(
    ("old", "new", "place", "what", "nearest"),
    [
        ("ac = ", "ca = ", "small.toml: solar.ca", "unknown key", "'ac'"),
        ("idle = ", "idel = ", "small.toml: racks[1].idel", "unknown key", "'idle'"),
        ("[solar]", "[soler]", "small.toml: soler", "unknown key", "'solar'"),
        (
            "xerus-pdu",
            "xerxes-pdu",
            "small.toml: devices[1].profile",
            "unknown profile 'xerxes-pdu'",
            "'xerus-pdu'",
        ),
        ('"limit_pct"', '"limit_pc"', "small.toml: devices[3].allow", "no writable point", "'limit_pct'"),
        ('role = "grid"', 'role = "gird"', "small.toml: devices[4].role", "role can't be 'gird'", "'grid'"),
        ('role = "grid"', "", "small.toml: devices[4].role", "a meter needs a role", ""),
        ('subject = "pv"', 'subject = "pw"', "small.toml: devices[3].subject", "no subject 'pw'", "'pv'"),
        (
            'subject = "a1-{position}"',
            'subject = "a2-{position}"',
            "devices[1].subject",
            "no subject 'a2-01'",
            "'a1-01'",
        ),
        (
            'subject = "a1-{position}"',
            'subject = "a1-{positon}"',
            "devices[1].subject",
            "no variable",
            "'position'",
        ),
        (
            'feeds = ["hall-a"]',
            'feeds = ["hall-b"]',
            "small.toml: racks[1].feeds",
            "no feed 'hall-b'",
            "'hall-a'",
        ),
        ("cdu-{position/2}", "cdu-{position}", "small.toml: racks[1].cdu", "no cdu 'cdu-01'", "'cdu-1'"),
        ('parent = "grid"', 'parent = "gris"', "small.toml: feeds[2].parent", "no feed 'gris'", "'grid'"),
        ('parent = "grid"', 'parent = "hall-a"', "small.toml: feeds[2].parent", "feeds itself", ""),
        ('kind = "feeder"', 'kind = "feader"', "small.toml: feeds[2].kind", "unknown feed kind", "'feeder'"),
        ('hall = "hall-a"', 'hall = "hall-b"', "small.toml: racks[1].hall", "no hall 'hall-b'", "'hall-a'"),
        ('position = "{position}"', 'position = "7"', "racks[1].position", "stand at the same place", ""),
        ('position = "{position}"', 'position = "x"', "racks[1].position", "not a position", ""),
        (
            "pdu-a1-{position:01..04}-{side:a,b}",
            "pdu-{position:1..1}{side:a,a}",
            "devices[1].name",
            "stands for nothing",
            "",
        ),
        (
            'name = "inverter-{n:1..3}"',
            'name = "cdu-{n:1..3}"',
            "name",
            "2 devices have the name 'cdu-1'",
            "",
        ),
        ("10.1.0.{n}", "10.1.0.1", "devices[3].address", "same address", ""),
        (
            "modbus-tcp://10.1.0.{n}:502/1",
            "10.1.0.{n}",
            "devices[3].address",
            "not an address",
            "modbus-tcp://HOST",
        ),
        ('ac = "600 kW"', "ac = 600", "small.toml: solar.ac", "a power without a unit", "28 MW"),
        ('ac = "600 kW"', 'ac = "-600 kW"', "small.toml: solar.ac", "is not a power", "28 MW"),
        ('peak = "132 kW"', 'peak = "1 kW"', "racks[1].idle", "more idle than at its peak", ""),
        ("gpus = 72", "gpus = -1", "small.toml: racks[1].gpus", "greater than or equal to 0", ""),
        ("gpus = 72", 'gpus = "72"', "small.toml: racks[1].gpus", "valid integer", "'72'"),
        ("gpus = 72", "gpus = true", "small.toml: racks[1].gpus", "valid integer", "True"),
        ("latitude_deg = 23.7", "latitude_deg = 237", "small.toml: place.latitude_deg", "90", "237"),
        ("latitude_deg = 23.7", "latitude_deg = nan", "small.toml: place.latitude_deg", "finite", ""),
        ("latitude_deg = 23.7", "", "small.toml: place.latitude_deg", "missing", ""),
        ("Africa/El_Aaiun", "Africa/Dakhla", "small.toml: place.time_zone", "no such time zone", ""),
        ('share = "1/3"', 'share = "1/0"', "small.toml: devices[3].share", "a share is", ""),
        ('share = "1/3"', "share = 2", "small.toml: devices[3].share", "less than or equal to 1", ""),
        ("[solar]", "solar = 3\n[other]", "small.toml: place.solar", "unknown key", ""),
        (
            "[solar]",
            "[alarms.rack_inlet_hihg]\nhigh = 30.0\n[solar]",
            "alarms.rack_inlet_hihg",
            "unknown alarm rule",
            "rack_inlet_high",
        ),
        ('name = "small"', 'name = "small', "small.toml", "is not TOML", "line 2"),
        ('title = "A small site"', 'title = "\\u001b[2J"', "small.toml: title", "match pattern", ""),
    ],
)
def test_every_slip_names_file_key_and_way_out(load, old, new, place, what, nearest):
    words = problems(load, changed(old, new))
    assert place in words
    assert what in words
    assert nearest in words


def test_all_problems_are_told_at_once(load, tmp_path):
    text = changed("ac = ", "ca = ").replace("gpus = 72", "gpus = -1")
    with pytest.raises(ConfigFileError) as raised:
        load(text)
    assert len(raised.value.problems) == 3  # the unknown key, the missing one, the negative count
    assert "2 more problems" in str(raised.value)


def test_an_alarm_rule_is_changed_or_dropped(load):
    rules = "[alarms.rack_inlet_high]\nhigh = 25.0\n[alarms.cdu_leak]\noff = true\n"
    site = load(changed("[solar]", f"{rules}[solar]"))
    by_code = {rule.code: rule for rule in site.alarms}
    assert by_code["rack_inlet_high"].high == 25.0
    assert by_code["rack_inlet_high"].priority == 2
    assert "cdu_leak" not in by_code
    assert by_code["grid_import_near_limit"].high == pytest.approx(0.95e6)


def test_prices_are_the_sites_or_the_reference_scenarios_and_never_negative(load):
    assert load(SITE).prices == Prices(60.0, 0.0, 600.0)
    priced = changed("[solar]", "[prices]\nimport_mwh = 95.5\n\n[solar]")
    assert load(priced).prices == Prices(95.5, 0.0, 600.0)
    with pytest.raises(ConfigError, match="greater than or equal to 0") as caught:
        load(changed("[solar]", "[prices]\nimport_mwh = -1.0\n\n[solar]"))
    assert "prices.import_mwh" in caught.value.where


def test_without_a_grid_limit_there_is_no_rule_on_it(load):
    text = changed('[grid]\nimport_limit = "1 MW"\n', "")
    assert "grid_import_near_limit" not in {rule.code for rule in load(text).alarms}


@pytest.mark.parametrize(
    "content", [b"\xff\xfe", b"", b"a = [[[[", b"[a]\n[a]", b"x = 99999999999999999999", b"[" * 5000]
)
def test_broken_files_are_named(tmp_path, content):
    path = tmp_path / "broken.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"broken\.toml"):
        load_site(str(path), load_profiles())


def test_missing_file_folder_and_unknown_name(tmp_path):
    with pytest.raises(ConfigError, match="no such file"):
        load_site(str(tmp_path / "none.toml"), {})
    with pytest.raises(ConfigError, match="can't be read"):
        load_site(f"{tmp_path}/", {})
    with pytest.raises(ConfigError, match="nearest known site is 'dakhla'"):
        load_site("dakla", {})


def test_a_fleet_that_holds_itself_is_refused(tmp_path):
    path = tmp_path / "fleet.toml"
    head = SITE[: SITE.index("[solar]")]
    path.write_text(f'{head}\n[[members]]\nname = "me"\nsite = "fleet.toml"\n')
    with pytest.raises(ConfigError, match="its own member"):
        load_site(str(path), load_profiles())


@settings(max_examples=60, deadline=None)
@given(dropped=st.sets(st.integers(0, len(SITE.splitlines()) - 1), max_size=4), junk=st.text(max_size=12))
def test_damaged_files_load_or_are_named_errors(tmp_path_factory, dropped, junk):
    kept = [line for number, line in enumerate(SITE.splitlines()) if number not in dropped]
    path = tmp_path_factory.mktemp("site") / "damaged.toml"
    path.write_text("\n".join([*kept, junk]), encoding="utf-8", errors="replace")
    assert "damaged.toml" in said(lambda: load_site(str(path), load_profiles()), "damaged.toml")
