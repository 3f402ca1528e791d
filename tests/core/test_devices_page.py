import os
import re
from pathlib import Path

from igoudar.collectors.profiles import load_profiles
from igoudar.collectors.profiles.parse import VERIFIED
from igoudar.core.support_matrix import devices_section, replace_devices

PAGE = Path(__file__).parents[2] / "docs" / "devices.md"


def test_the_matrix_is_that_of_the_profiles():
    text = PAGE.read_text(encoding="utf-8")
    wanted = replace_devices(text, devices_section(load_profiles()))
    if os.environ.get("IGOUDAR_WRITE_DOCS") == "1":
        PAGE.write_text(wanted, encoding="utf-8")
    assert text == wanted, "run this test once with IGOUDAR_WRITE_DOCS=1 and commit docs/devices.md"


def test_every_degree_of_verification_is_explained():
    assert set(re.findall(r"^\| `([^`]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)) >= set(
        VERIFIED
    )


def test_a_bar_in_a_source_does_not_break_the_table():
    from dataclasses import replace

    profile = replace(load_profiles()["xerus-pdu"], source="a | b")
    assert "a \\| b" in devices_section({profile.name: profile})
