import json
import math
import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igoudar.control.schema import AlarmView, DeviceView, Flow, JobView, RackView
from igoudar.dashboard.charts.alarms import alarm_list
from igoudar.dashboard.charts.bands import bands_option, bands_spoken
from igoudar.dashboard.charts.devices import count_parts, device_list
from igoudar.dashboard.charts.floor import floor_data, inlet_class
from igoudar.dashboard.charts.flow import arms, flow_markup, flow_scale
from igoudar.dashboard.charts.halls import hall_cards, rack_panel, warmest_panel
from igoudar.dashboard.charts.jobs import running_table
from igoudar.dashboard.charts.offer import job_offer
from igoudar.dashboard.charts.origin import origin_panel, reasons_table
from igoudar.dashboard.charts.sentences import sentence_parts
from igoudar.dashboard.charts.spark import sparkline
from igoudar.dashboard.charts.strip import spoken_alarms, strip_parts
from igoudar.dashboard.charts.tiles import CODES, tile_figure, tiles_parts
from igoudar.dashboard.charts.timeline import timeline_option, timeline_range
from igoudar.dashboard.charts.waiting import waiting_jobs, waiting_table
from igoudar.dashboard.words import NONE, PowerUnit, Words, power_unit
from tests.dashboard import documents

EN, FR = Words("en", documents.ZONE), Words("fr", documents.ZONE)
MW = PowerUnit(1e6, "MW", 1)
TAGS = {"section", "div", "h2", "h3", "h4", "p", "b", "i", "s", "em", "span", "small", "svg", "rect", "path"}
TAGS |= {
    "text",
    "time",
    "a",
    "button",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "code",
    "ul",
    "li",
    "label",
    "input",
}


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


def assert_only_ours(*markup: str) -> None:
    tags = Tags()
    tags.feed("".join(markup))
    assert tags.found <= TAGS
    assert tags.handlers == []


@given(st.text(max_size=60).map(lambda text: text + documents.HOSTILE + '"onload="x'))
def test_no_name_becomes_markup(name: str) -> None:
    alarms = documents.alarms()
    alarm = AlarmView.model_validate({**alarms.alarms[0].model_dump(), "source": name, "id": name})
    jobs = documents.jobs()
    job = JobView.model_validate({**jobs.jobs[0].model_dump(), "name": name, "user": name, "job_id": name})
    devices = documents.devices()
    device = DeviceView.model_validate({**devices.devices[0].model_dump(), "name": name, "gap": name})
    alarms = alarms.model_copy(update={"alarms": [alarm]})
    jobs = jobs.model_copy(update={"jobs": [job]})
    devices = devices.model_copy(update={"devices": [device]})
    plan = documents.plan()
    proposed = {"name": name, "user": name, "job_id": name, "consequence": documents.said(name)}
    plan = plan.model_copy(
        update={
            "jobs": [plan.jobs[0].model_copy(update=proposed)],
            "why": documents.said(name),
            "gave_way": [documents.said(name)],
            "version": name,
        }
    )
    offer = job_offer("approve", [name, "gone" + name], waiting_jobs(plan, None), plan, EN)
    assert offer.targets == (name,)
    assert_only_ours(
        alarm_list(alarms, EN),
        device_list(devices, FR),
        waiting_table(plan, jobs, FR),
        running_table(jobs, EN),
        origin_panel(plan, EN),
        reasons_table(plan, FR),
        offer.markup,
        *(markup for _, markup in strip_parts(alarms, documents.status(), EN)),
    )


@given(st.text(max_size=60))
def test_no_rack_or_hall_name_becomes_markup(name: str) -> None:
    name += documents.HOSTILE
    halls = documents.halls()
    rack = halls.racks[0].model_copy(update={"name": name, "inlet_c": 40.0})
    hall = halls.halls[0].model_copy(update={"name": name})
    halls = halls.model_copy(update={"racks": [rack], "halls": [hall]})
    assert_only_ours(
        warmest_panel(halls, EN), rack_panel(None, name, EN), *(m for _, m in hall_cards(halls, EN))
    )


def test_without_a_document_nothing_is_zero() -> None:
    markup = [m for _, m in (*tiles_parts(None, EN), *strip_parts(None, None, EN), *count_parts(None, EN))]
    markup += [m for _, m in sentence_parts(None, EN)]
    markup += [flow_markup(None, EN), device_list(None, EN), alarm_list(None, EN), rack_panel(None, "A", EN)]
    markup += [waiting_table(None, None, EN), running_table(None, EN), origin_panel(None, EN)]
    values = re.findall(r"<b>(.*?)</b>", "".join(markup))
    assert values
    assert set(values) <= {NONE, "--:--:--"}
    assert len(tiles_parts(None, EN)) == len(CODES)


def test_tiles_read_as_people_write() -> None:
    tiles = {tile.code: tile for tile in documents.tiles()}
    assert tile_figure(tiles["renewable_share"], EN) == ("91.6", "%")
    assert tile_figure(tiles["renewable_share"], FR) == ("91,6", "%")
    assert tile_figure(tiles["pue"], EN) == ("1.17", "")
    assert tile_figure(tiles["it_load"], EN) == ("33.9", "MW")
    assert tile_figure(tiles["jobs_waiting"], EN) == ("11", "")
    unknown = tiles["battery"].model_copy(update={"value": None})
    assert tile_figure(unknown, EN) == (NONE, "")


@pytest.mark.parametrize(("reference_w", "symbol"), [(6e5, "kW"), (1.9e6, "kW"), (5e6, "MW"), (5e8, "MW")])
def test_a_panel_has_one_power_unit(reference_w: float, symbol: str) -> None:
    assert power_unit(reference_w).symbol == symbol


flows = st.lists(
    st.builds(Flow, code=st.just("it"), power_w=st.none() | st.floats(0, 1e9, allow_nan=False)),
    min_size=1,
    max_size=7,
)


@given(flows, flows)
def test_arms_fit_and_never_overlap(sources: list[Flow], sinks: list[Flow]) -> None:
    scale = flow_scale(sources, sinks)
    for side in (arms(sources, scale), arms(sinks, scale)):
        assert side[0].top >= -1e-6
        assert side[-1].top + side[-1].height <= 100 + 1e-6
        for upper, lower in pairwise(side):
            assert upper.top + upper.height <= lower.top + 1e-6
        for arm in side:
            assert math.isclose(arm.height, (arm.flow.power_w or 0.0) * scale, abs_tol=1e-9)


def test_an_unknown_power_is_a_mark_and_no_ribbon() -> None:
    overview = documents.overview().model_copy(update={"sinks": [Flow(code="losses", power_w=None)]})
    markup = flow_markup(overview, EN)
    assert f"<b>{NONE}</b>" in markup
    assert "ribbon losses" not in markup


def test_missing_history_is_a_gap_in_the_line() -> None:
    history = [(documents.NOW, value) for value in (1.0, 2.0, None, 3.0, 4.0)]
    assert sparkline(history, (0, 5), label="x").count("<path") == 2
    assert "<i " not in sparkline([*history, (documents.NOW, None)], (0, 5), label="x")


def test_the_chart_is_json_with_gaps_and_only_known_series() -> None:
    chart = documents.chart()
    option = timeline_option(chart, EN, MW, "light")
    json.dumps(option, allow_nan=False)
    assert "Renewable forecast P50" in option["legend"]["data"]
    bare = chart.model_copy(
        update={"forecast_p10_w": [], "forecast_p50_w": [], "forecast_p90_w": [], "plan_w": []}
    )
    legend = timeline_option(bare, EN, MW, "dark")["legend"]["data"]
    assert legend == ["Renewable actual", "Load actual", "Load without shift", "Moved load"]


def test_the_chart_tells_the_sites_wall_clock() -> None:
    option = timeline_option(documents.chart(), EN, MW, "light")
    first = option["series"][0]["data"][0][0]
    hours_ahead = (first / 1000 - documents.chart().time[0].timestamp()) / 3600
    assert hours_ahead == EN.local(documents.NOW).utcoffset().total_seconds() / 3600  # type: ignore[union-attr]


def test_stale_and_off_racks_say_so() -> None:
    halls = documents.halls()
    data = floor_data(halls, halls.halls, "C3-09", EN)
    cells = {
        cell[0]: cell[2]["temperature"] for h in data["halls"] for row in h["rows"] for cell in row["cells"]
    }
    assert cells["D1-08"][0] == "?"
    assert "q-stale" in cells["D1-08"][1]
    assert cells["B5-04"][0] == "off"
    assert cells["C3-09"][:2] == ("28.9", "p2")
    assert "priority 2" in cells["C3-09"][2]
    assert len(cells) == 290


@given(st.floats(-10, 60, allow_nan=False))
def test_only_a_limit_passed_is_in_colour(inlet_c: float) -> None:
    assert (inlet_class(inlet_c, 27.0) == "p2") == (inlet_c >= 27.0)


def test_a_rack_without_a_value_is_not_zero() -> None:
    halls = documents.halls()
    rack = RackView(
        name="A1-01", hall="hall-a", row="A1", position=1, inlet_c=None, power_w=None, quality="good"
    )
    data = floor_data(halls.model_copy(update={"racks": [rack]}), halls.halls[:1], None, EN)
    views = data["halls"][0]["rows"][0]["cells"][0][2]
    assert views["temperature"][0] == views["power"][0] == NONE


def test_the_live_region_changes_only_with_the_alarms() -> None:
    alarms = documents.alarms()
    later = alarms.model_copy(update={"time": documents.NOW + documents.STEP})
    assert spoken_alarms(alarms, EN) == spoken_alarms(later, EN)
    assert spoken_alarms(alarms, EN) != spoken_alarms(alarms.model_copy(update={"counts": {1: 1}}), EN)


def test_the_heading_says_whether_there_is_a_forecast() -> None:
    chart = documents.chart()
    assert "P10–P90" in timeline_range(chart, EN, "UTC")
    assert "no data" in timeline_range(chart.model_copy(update={"forecast_p50_w": []}), EN, "UTC")


def test_the_plans_bands_stack_and_the_last_step_has_its_width() -> None:
    plan = documents.plan()
    option = bands_option(plan, EN, "light")
    json.dumps(option, allow_nan=False)
    loads = [series for series in option["series"] if series.get("stack") == "load"]
    assert [load["name"] for load in loads] == ["Cooling", "Urgent", "Water and hydrogen", "Flexible"]
    for load in loads:
        assert len(load["data"]) == len(plan.steps) + 1
        assert load["data"][-1][0] - load["data"][-2][0] == 900_000
    first = plan.steps[0]
    stacked_mw = sum(load["data"][0][1] for load in loads)
    assert math.isclose(
        stacked_mw * 1e6,
        first.cooling_w + first.urgent_w + first.drives_w + first.flexible_w,
        rel_tol=1e-3,
    )
    base, width = (series for series in option["series"] if series.get("stack") == "band")
    assert base["data"][9][1] + width["data"][9][1] == pytest.approx(
        plan.steps[9].supply_p90_w / 1e6, abs=2e-3
    )
    assert "MW" in bands_spoken(plan, FR)


def test_a_load_that_nobody_has_is_not_in_the_legend() -> None:
    plan = documents.plan()
    bare = [step.model_copy(update={"drives_w": 0.0, "run_now_w": None}) for step in plan.steps]
    named = json.dumps(bands_option(plan.model_copy(update={"steps": bare}), EN, "dark")["legend"]["data"])
    assert "Water" not in named
    assert "without shift" not in named


def test_waiting_jobs_stand_by_slack_and_the_tightest_first() -> None:
    waiting = waiting_table(documents.plan(), documents.jobs(), EN)
    places = [waiting.index(f"ai-04{n}") for n in (11, 12, 13, 20, 30)]
    assert places == sorted(places)
    verbs = {job.job_id: job.verbs for job in waiting_jobs(documents.plan(), documents.jobs())}
    assert verbs["ai-0411"] == ("approve", "hold")
    assert verbs["ai-0412"] == ("release",)
    assert verbs["ai-0416"] == ("hold",)
    assert verbs["ai-0415"] == ()  # an urgent job is not ours to hold
    assert "not within 48 h" in waiting  # a start beyond the horizon is not a time


def test_a_job_that_began_since_the_plan_does_not_wait() -> None:
    jobs = documents.jobs()
    begun = [
        job.model_copy(update={"state": "running"}) if job.job_id == "ai-0413" else job for job in jobs.jobs
    ]
    waiting = waiting_jobs(documents.plan(), jobs.model_copy(update={"jobs": begun}))
    assert "ai-0413" not in {job.job_id for job in waiting}
    assert len(waiting) == 10


def test_waiting_jobs_are_listed_without_a_plan() -> None:
    assert len(waiting_jobs(None, documents.jobs())) == 11
    assert "Planned start" in waiting_table(None, documents.jobs(), EN)


def test_an_offer_states_the_consequence_and_leaves_out_what_is_gone() -> None:
    plan = documents.plan()
    waiting = waiting_jobs(plan, documents.jobs())
    offer = job_offer("approve", ["ai-0413", "ai-0414", "ai-0412"], waiting, plan, EN)
    assert offer.targets == ("ai-0413", "ai-0414")
    assert offer.version == plan.version
    for stated in ("jobs: 2 · 17.0 MWh", "all from sun", "slack", "ai-0412: no longer possible"):
        assert stated in offer.markup
    assert job_offer("approve", ["ai-0412"], waiting, plan, EN).targets == ()


@pytest.mark.parametrize("source", ["optimal", "last_safe", "greedy", "none"])
def test_the_plan_says_where_it_came_from_and_what_gave_way(source: str) -> None:
    plan = documents.plan().model_copy(update={"source": source})
    panel = origin_panel(plan, EN)
    assert EN(f"source_{source}") in panel
    assert "Relaxed:" in panel
    assert "0.8 MW" in panel
    assert EN("nothing_gave_way") not in panel
    kept = origin_panel(plan.model_copy(update={"gave_way": []}), EN)
    assert (EN("nothing_gave_way") in kept) == (source == "optimal")


def test_steps_with_one_reason_are_one_row() -> None:
    plan = documents.plan()
    rows = reasons_table(plan, EN)
    assert 2 <= rows.count("<tr") - 1 <= 12
    assert "one MW less would save" in rows
    assert reasons_table(plan.model_copy(update={"steps": []}), EN) == ""
