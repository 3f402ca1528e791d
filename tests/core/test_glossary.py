import os
import re
from pathlib import Path

from igoudar.collectors.profiles import load_profiles
from igoudar.core.glossary import points_section, replace_points
from igoudar.core.model import Kind
from igoudar.core.site_check import ROLES
from igoudar.core.units import SUFFIXES

PAGE = Path(__file__).parents[2] / "docs" / "glossary.md"


def test_the_points_are_those_of_the_profiles():
    text = PAGE.read_text(encoding="utf-8")
    wanted = replace_points(text, points_section(load_profiles()))
    if os.environ.get("IGOUDAR_WRITE_DOCS") == "1":
        PAGE.write_text(wanted, encoding="utf-8")
    assert text == wanted, "run this test once with IGOUDAR_WRITE_DOCS=1 and commit docs/glossary.md"


def test_every_unit_kind_and_role_is_explained():
    words = set(re.findall(r"`([^`\s]+)`", PAGE.read_text(encoding="utf-8")))
    assert words >= {*SUFFIXES, *ROLES, *map(str, Kind)}
