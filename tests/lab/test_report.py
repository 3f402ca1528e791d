import re
from html.parser import HTMLParser

import numpy as np
import polars as pl
import pytest

from igoudar.lab.backtest import backtest
from igoudar.lab.report import write_report
from igoudar.lab.strips import ABOVE_PX, Scale, bars, strip

VOID = {"meta"}


@pytest.fixture
def page(scenario, tmp_path):
    backtest(scenario(policies=("run-now", "greedy"), import_limit_mw=0.1), tmp_path / "out", workers=1)
    return write_report(tmp_path / "out", "en").read_text()


class Nesting(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.names, self.wrong = [], [], []

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.names.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def test_the_page_is_whole_and_needs_nothing_else(page):
    seen = Nesting()
    seen.feed(page)
    assert not seen.open
    assert not seen.wrong
    assert not {"script", "link", "img", "iframe"} & set(seen.names)
    assert not re.search(r"https?:|url\(|@import|src=", page)


def test_every_policy_has_a_strip_a_period_and_a_row(page):
    assert page.count("<svg") == 4
    assert page.count("<summary>greedy</summary>") == 1
    assert "greedy, period 1: renewable" in page
    assert "light-dark(" in page


def test_what_gave_way_is_told(page):
    assert "import over its limit" in page


def test_names_are_escaped(scenario, tmp_path):
    evil = "<script>alert(1)</script>"
    backtest(scenario(policies=("run-now",), site=evil), tmp_path / "out", workers=1)
    page = write_report(tmp_path / "out", "fr").read_text()
    assert evil not in page
    assert "Toutes les politiques" in page


def table(hours, **columns):
    names = ("pv_w", "wind_w", "urgent_w", "flexible_w", "cooling_w", "desalination_w", "electrolyser_w")
    every = dict.fromkeys((*names, "import_w", "soc_wh"), 0.0) | columns
    return pl.DataFrame({name: np.broadcast_to(value, hours * 4) for name, value in every.items()})


def test_a_strip_draws_hourly_means_to_scale():
    drawn = strip(table(2, pv_w=np.repeat([50.0, 100.0], 4)), Scale(100.0, 1.0, 1.0), "a < b")
    half = ABOVE_PX // 2
    assert f'class="solar" d="M0 {ABOVE_PX}V{half}h4v-{half}h4V{ABOVE_PX}Z"' in drawn
    assert "<title>a &lt; b</title>" in drawn


def test_bars_are_relative_to_the_longest():
    assert "width:50.0%" in bars([("a", 1.0, "1"), ("b", 2.0, "2")])
    assert "width:0.0%" in bars([("a", 0.0, "0")])
