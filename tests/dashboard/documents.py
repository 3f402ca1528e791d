"""A made-up campus of 290 racks as the API would describe it: 17 June, 11:20 in El Aaiún."""

import math
from datetime import UTC, datetime, timedelta

from igoudar.control.schema import (
    Alarms,
    AlarmView,
    Chart,
    Devices,
    DeviceView,
    Document,
    Flow,
    Halls,
    HallView,
    Jobs,
    JobView,
    Overview,
    PlannedJob,
    PlanStep,
    PlanView,
    RackDetail,
    RackView,
    Sentence,
    Status,
    Text,
    Tile,
)

NOW = datetime(2026, 6, 17, 10, 20, tzinfo=UTC)
ZONE = "Africa/El_Aaiun"
STEP = timedelta(minutes=15)
HOSTILE = '<img src=x onerror="document.title=1">'
SIZES = {"hall-a": (80, 16), "hall-b": (80, 16), "hall-c": (80, 16), "hall-d": (50, 10)}


def said(english: str) -> Text:
    return Text(code="test.none", english=english)


def wave(middle: float, swing: float, phase: float = 0.0) -> list[tuple[datetime, float | None]]:
    return [
        (NOW - STEP * (95 - i), middle + swing * math.sin(i / 15 + phase) + swing * 0.2 * math.sin(i * 2.1))
        for i in range(96)
    ]


def tile(code: str, value: float | None, unit: str, swing: float, **more: object) -> Tile:
    history = wave(value, swing) if value is not None else []
    return Tile.model_validate(
        {"code": code, "value": value, "unit": unit, "quality": "good", "history": history, **more}
    )


def tiles() -> list[Tile]:
    warm = [(time, 26.0 + 2.9 * (i / 95) ** 6) for i, (time, _) in enumerate(wave(0, 0))]
    return [
        tile("renewable_share", 0.916, "ratio", 0.06, band=(0.75, 1.0)),
        tile("pue", 1.17, "ratio", 0.02, band=(1.08, 1.22), limit=1.22),
        tile("it_load", 33.9e6, "w", 3e6, band=(28e6, 38e6), note=said("plan 34.0 MW · ± 1")),
        tile("battery", 64.0, "pct", 8.0, band=(20, 90), note=said("+10.7 MW · 20–90 %")),
        tile("grid_import", 2.1e6, "w", 0.8e6, band=(0, 20e6), limit=20e6),
        tile("worst_inlet", 28.9, "c", 0.0, band=(18, 27), limit=27.0, priority=2).model_copy(
            update={"history": warm, "note": said("C3-09 · limit 27 °C")}
        ),
        tile("jobs_waiting", 11, "count", 3, band=(0, 20), note=said("3 wait for approval")),
        tile(
            "data_quality",
            0.993,
            "ratio",
            0.004,
            band=(0.98, 1.0),
            quality="stale",
            note=said("2 / 1 184 stale"),
        ),
    ]


def flows() -> tuple[list[Flow], list[Flow]]:
    sources = [
        Flow(code="solar", power_w=34.8e6, forecast_w=34.2e6),
        Flow(code="wind", power_w=13.6e6, forecast_w=14.0e6),
        Flow(code="grid", power_w=2.1e6, note=said("limit 20 MW")),
        Flow(code="battery", power_w=0.0, note=said("64 %")),
    ]
    sinks = [
        Flow(code="it", power_w=31.8e6, note=said("290 × GB200")),
        Flow(code="cooling", power_w=4.6e6, note=said("PUE 1.17")),
        Flow(code="battery", power_w=10.7e6, note=said("64 %")),
        Flow(code="desalination", power_w=1.3e6),
        Flow(code="electrolyser", power_w=0.7e6),
        Flow(code="export", power_w=0.0),
        Flow(code="losses", power_w=None),
    ]
    return sources, sinks


def chart() -> Chart:
    start = NOW.replace(minute=15) - timedelta(hours=24)
    times = [start + STEP * i for i in range(289)]
    hours = [(t.hour + t.minute / 60) for t in times]
    supply = [
        28e6 + 20e6 * math.exp(-(((h - 13) / 3.4) ** 2)) + 5e6 * math.sin(i / 23) for i, h in enumerate(hours)
    ]
    load = [
        36e6 + 7e6 * math.sin((h - 7) * math.pi / 12) + 1e6 * math.sin(i / 3) for i, h in enumerate(hours)
    ]
    run_now = [36e6 + 2e6 * math.sin(i / 20) for i in range(289)]
    past = [t <= NOW for t in times]
    spread = [0.25e6 * max(i - 96, 0) ** 0.8 for i in range(289)]
    return Chart(
        time=times,
        now=NOW,
        renewable_w=[v if p else None for v, p in zip(supply, past, strict=True)],
        load_w=[v if p else None for v, p in zip(load, past, strict=True)],
        run_now_w=[*run_now],
        moved_w=[a - b for a, b in zip(load, run_now, strict=True)],
        forecast_p10_w=[None if p else v - s for v, p, s in zip(supply, past, spread, strict=True)],
        forecast_p50_w=[v + 0.5e6 for v in supply],
        forecast_p90_w=[None if p else v + s for v, p, s in zip(supply, past, spread, strict=True)],
        plan_w=[None if p else v for v, p in zip(load, past, strict=True)],
    )


def overview() -> Overview:
    sources, sinks = flows()
    span = (NOW, NOW + timedelta(hours=2, minutes=40))
    later = (NOW + timedelta(hours=8), NOW + timedelta(hours=11))
    return Overview(
        time=NOW,
        zone=ZONE,
        site="dakhla-phase1",
        simulated=True,
        mode="auto",
        tiles=tiles(),
        sources=sources,
        sinks=sinks,
        bus_w=50.5e6,
        chart=chart(),
        sentences=[
            Sentence(
                slot="now",
                span=span,
                title=said("Raise flexible load by 6.9 MW"),
                text=said("Sun forecast 31 MW ± 4. Three queued trainings start 12:00–13:30."),
            ),
            Sentence(
                slot="next",
                span=later,
                title=said("Lower flexible load by 7.5 MW"),
                text=said("Sunset. Battery covers 5.1 MW, grid import stays under 6 MW."),
            ),
            Sentence(
                slot="needs_you",
                title=said("1 alarm of priority 2 waits"),
                text=said(f"Rack C3-09 {HOSTILE} is above its limit."),
            ),
        ],
    )


def racks() -> list[RackView]:
    found = []
    for hall, (count, per_row) in SIZES.items():
        letter = hall[-1].upper()
        for index in range(count):
            row, position = f"{letter}{index // per_row + 1}", index % per_row + 1
            found.append(_rack(f"{row}-{position:02d}", hall, row, position))
    return found


def _rack(name: str, hall: str, row: str, position: int) -> RackView:
    wobble = math.sin(len(found_seed := name) + sum(map(ord, name)) * 1.7)
    inlet, quality, priority = 22.5 + 2.2 * wobble, "good", None
    power: float | None = 104e3 + 20e3 * wobble
    if name in ("C3-08", "C3-09"):
        inlet, priority = (27.0, None) if name == "C3-08" else (28.9, 2)
    if name in ("D1-08", "D1-09"):
        quality = "stale"
    if name == "B5-04":
        quality, power = "off", 0.0
    known = quality == "good" and bool(found_seed)
    return RackView.model_validate(
        {
            "name": name,
            "hall": hall,
            "row": row,
            "position": position,
            "inlet_c": round(inlet, 1) if known else None,
            "power_w": power if known else None,
            "quality": quality,
            "priority": priority,
        }
    )


def halls() -> Halls:
    all_racks = racks()
    views = []
    for hall, (count, _) in SIZES.items():
        mine = [r for r in all_racks if r.hall == hall and r.inlet_c is not None]
        worst = max(mine, key=lambda r: r.inlet_c or 0)
        views.append(
            HallView(
                name=hall,
                racks=count,
                power_w=sum(r.power_w or 0 for r in mine),
                power_band_w=(count * 66e3, count * 120e3),
                power_max_w=count * 132e3,
                inlet_worst_c=worst.inlet_c,
                inlet_worst_rack=worst.name,
                liquid_supply_c=30.2,
                liquid_delta_k=11.6 if hall != "hall-d" else None,
            )
        )
    return Halls(time=NOW, inlet_limit_c=27.0, racks=all_racks, halls=views)


def rack(name: str) -> RackDetail | None:
    view = next((r for r in racks() if r.name == name), None)
    if view is None:
        return None
    history: list[tuple[datetime, float | None]] = [
        (NOW - timedelta(minutes=5 * (47 - i)), (view.inlet_c or 22) - 2 + i / 24) for i in range(48)
    ]
    return RackDetail(
        rack=view,
        peak_w=132e3,
        gpus=72,
        liquid_supply_c=30.2,
        liquid_return_c=41.8,
        liquid_flow_lpm=82.0,
        gpu_utilisation_pct=94.0,
        gpu_temperature_c=None,
        jobs=["ai-0398", HOSTILE],
        inlet_history=history,
        inlet_band_c=(18.0, 27.0),
        trays=18,
    )


def alarms() -> Alarms:
    def alarm(id_: str, priority: int, source: str, text: str, minutes: int, **more: object) -> AlarmView:
        return AlarmView.model_validate(
            {
                "id": id_,
                "priority": priority,
                "state": "unacknowledged",
                "source": source,
                "text": said(text),
                "action": said("Check the coolant flow of the row, then move its jobs."),
                "raised_at": NOW - timedelta(minutes=minutes),
                **more,
            }
        )

    by = {"acknowledged_by": "amina", "acknowledged_at": NOW - timedelta(minutes=20), "state": "acknowledged"}
    return Alarms(
        time=NOW,
        counts={1: 0, 2: 1, 3: 2},
        alarms=[
            alarm("a1", 2, "C3-09", "Rack inlet 28.9 °C above 27 °C", 8),
            alarm("a2", 3, "WT-07", "Wind turbine data stale 6 min", 11),
            alarm("a3", 3, HOSTILE, "Filter pressure drop high", 39, occurrences=4),
            alarm("a4", 3, "CDU-B2", "Flow low", 90, **by),
        ],
    )


def job(number: int, state: str, slack_h: float | None, **more: object) -> JobView:
    return JobView.model_validate(
        {
            "job_id": f"ai-{number:04d}",
            "name": ("rlhf-round-18", "pretrain-llm-70b", "eval-suite-nightly", HOSTILE)[number % 4],
            "user": ("amina", "yassine")[number % 2],
            "gpus": (72, 144, 8)[number % 3],
            "state": state,
            "flexible": number % 5 != 0,
            "submitted": NOW - timedelta(hours=3),
            "expected_s": 7200.0,
            "deadline": None if slack_h is None else NOW + timedelta(hours=2 + slack_h),
            "slack_s": None if slack_h is None else slack_h * 3600,
            "power_w": 137e3 if state == "running" else None,
            "energy_wh": 8.5e6,
            "started": NOW - timedelta(minutes=number) if state == "running" else None,
            "reason": said("Waits for sun" if state != "running" else "Sun covers it"),
            **more,
        }
    )


def jobs() -> Jobs:
    waiting = [job(411 + i, "held" if i == 1 else "waiting", -0.4 + 2.3 * i) for i in range(10)]
    waiting.append(job(430, "waiting", None))
    running = [job(380 + i, "running", 6.0 + i) for i in range(6)]
    return Jobs(time=NOW, waiting=11, running=6, finished=120, jobs=[*waiting, *running])


def plan() -> PlanView:
    start = NOW.replace(minute=15)
    return PlanView(
        time=NOW,
        version="p-0417",
        config_version="12",
        issued_at=start,
        source="optimal",
        why=said("Solved in 0.42 s."),
        gave_way=[said("The import limit gave way by up to 0.8 MW, 0.4 MWh in all.")],
        notes=[said("The battery follows its own rule; the plan only reckons with it.")],
        solve_s=0.42,
        steps=[plan_step(start + STEP * i, i) for i in range(192)],
        jobs=[planned(411 + i, -0.4 + 2.3 * i) for i in range(9)],
    )


def plan_step(time: datetime, index: int) -> PlanStep:
    hour = time.hour + time.minute / 60
    sun = math.exp(-(((hour - 13) / 3.4) ** 2))
    supply, spread = 14e6 + 36e6 * sun + 3e6 * math.sin(index / 23), 0.3e6 + 0.3e6 * index**0.75
    flexible = (3e6 + 17e6 * sun) * (1 + 0.05 * math.sin(index / 5))
    price = f"{60 - 55 * sun:.2f}"
    reasons = [said(f"{supply / 1e6:.1f} MW of wind and sun expected; one more MWh costs {price}.")]
    if sun < 0.02:
        peak = "Import of 12.1 MW sets the week's peak: one MW less would save 310.00."
        reasons.insert(0, Text(code="test.peak", english=peak))
    return PlanStep(
        time=time,
        urgent_w=16e6 + 1e6 * math.sin(hour / 4),
        flexible_w=flexible,
        cooling_w=5e6 + 1.5e6 * sun,
        drives_w=0.7e6 + 2e6 * sun,
        battery_w=0.0,
        import_w=max(0.0, 26e6 - supply),
        export_w=0.0,
        curtailed_w=0.0,
        run_now_w=36e6 + 2e6 * math.sin(index / 20),
        supply_p10_w=max(supply - spread, 4e6),
        supply_p50_w=supply,
        supply_p90_w=supply + spread,
        reasons=reasons,
    )


REASONS = (
    "Waits until 12:25: 31.4 MW of wind and sun expected then, 0.14 MW needed."
    " Starting now costs 21.50 more, one hour later 3.10 more. Must end by 17:30.",
    "Waits until 14:30: all GPUs are in use before. Starting now costs 4.20 more, one hour later 0.80 more."
    " Must end by 20:00.",
    "Waits beyond the plan's 48 h.",
)


def planned(number: int, slack_h: float) -> PlannedJob:
    of_queue = job(number, "waiting", slack_h)
    start = None if number == 418 else NOW + timedelta(minutes=40 + 25 * (number - 411))
    proposed = number in (411, 413, 414)
    return PlannedJob(
        **of_queue.model_dump(
            include={"job_id", "name", "user", "gpus", "energy_wh", "expected_s", "deadline", "slack_s"}
        ),
        racks=of_queue.gpus / 72,
        start=start,
        latest_start=NOW + timedelta(hours=slack_h),
        reason=said(REASONS[number % 3]),
        proposed=proposed,
        consequence=said("8.5 MWh, all from sun; import unchanged.") if proposed else None,
    )


def devices() -> Devices:
    found = []
    for index in range(60):
        quality = {3: "stale", 17: "bad", 31: "uncertain", 44: "off"}.get(index, "good")
        age = {"stale": 360.0, "bad": None, "off": 90000.0}.get(quality, 2.0 + index / 10)
        found.append(
            DeviceView.model_validate(
                {
                    "name": f"pdu-a{index:02d}",
                    "kind": ("pdu", "meter", "turbine", "cdu")[index % 4],
                    "profile": "xerus-pdu",
                    "hall": "hall-a",
                    "subject": "A1-01",
                    "address": f"modbus-tcp://127.0.0.1:15020/{index}",
                    "quality": quality,
                    "last_at": None if age is None else NOW - timedelta(seconds=age),
                    "age_s": age,
                    "gap": "TIMEOUT" if quality == "bad" else None,
                }
            )
        )
    return Devices(time=NOW, answering=57, devices=found)


def status() -> Status:
    return Status(
        time=NOW,
        zone=ZONE,
        site="dakhla-phase1",
        title="Dakhla, first phase",
        simulated=True,
        speed=60.0,
        mode="auto",
        devices=1184,
        devices_answering=1182,
        points=9000,
        first_good_at=NOW,
        readings=1_000_000,
        gaps=12,
        it_w=33.9e6,
        facility_w=39.6e6,
        renewable_w=48.4e6,
        import_w=2.1e6,
        export_w=0.0,
        battery_w=-10.7e6,
        soc_pct=64.0,
        pue=1.17,
        renewable_share=0.916,
        jobs_waiting=11,
        jobs_running=6,
        alarms={1: 0, 2: 1, 3: 2},
        parts={"collect": "running"},
    )


def document(path: str) -> Document | None:
    """The document at an API path."""
    made = {
        "status": status,
        "overview": overview,
        "halls": halls,
        "alarms": alarms,
        "jobs": jobs,
        "plan": plan,
        "devices": devices,
    }
    part = path.removeprefix("/v1/")
    if part.startswith("racks/"):
        return rack(part.removeprefix("racks/"))
    return made[part]() if part in made else None
