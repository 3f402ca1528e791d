"""The planner's measurement: what holds, what does not, and by how much."""

from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

ROW = {
    "cost": 103.5,
    "to_bound": 1.05,
    "to_reachable": 1.035,
    "to_best_known": 0.99,
    "to_greedy": 0.9,
    "gain_share": 0.96,
    "best_known_share": 0.96,
    "renewable_share": 0.9,
    "import_wh": 1e9,
    "import_peak_w": 6e6,
    "weeks_ahead_of_greedy": 8,
    "deadlines_missed": 5,
    "missed_beyond_run_now": 0,
    "stops_per_job": 0.1,
    "delay_p95_s": 3600.0,
    "solve_p99_s": 0.5,
    "elapsed_s": 100.0,
    "work_gpu_h": 10.0,
    "undone_gpu_h": 0.0,
    "comparable": True,
}


def figures(kind="battery and peak", **given):
    rows = {"run-now": ROW, "rolling": {**ROW, **given}}
    case = {"case": "a", "kind": kind, "policies": rows, "weekly_cost": {"rolling": [1.0] * 8}}
    return {"machine": "m", "load_average": 1.0, "worker_memory_mib": 300.0, "cases": [case]}


@pytest.fixture
def page(monkeypatch):
    """The measurements are no part of the package."""
    monkeypatch.syspath_prepend(str(ROOT))
    return import_module("benchmarks.planning.page")


def failing(page, told):
    return {bar.what for bar in page.bars(told) if bar.holds is False}


def test_a_bar_that_is_missed_is_named_with_its_distance(page):
    assert failing(page, figures()) == {"cost to reachable"}
    assert "| a | cost to reachable | 1.035 | at most 1.03 | **no**, by 0.005 |" in page._measured(figures())


def test_bars_that_count_depend_on_the_case(page):
    assert failing(page, figures("neither", to_greedy=1.003)) == {"cost to greedy"}
    assert failing(page, figures("peak", to_greedy=1.003)) == set()


def test_less_work_or_fewer_weeks_do_not_pass(page):
    assert "work unlike run-now's [GPU h]" in failing(page, figures(work_gpu_h=9.0))
    assert "run-now's work left undone [GPU h]" in failing(page, figures(undone_gpu_h=9.0))
    assert "weeks ahead of greedy" in failing(page, figures(weeks_ahead_of_greedy=7))
    assert "share of the best known gain" in failing(page, figures(best_known_share=0.9))
    assert "missed beyond run-now" in failing(page, figures(missed_beyond_run_now=1))


def test_the_page_has_its_marks(page):
    text = page.PAGE.read_text()
    assert 0 < text.index(page.BEGIN) < text.index(page.END)
