"""A small site of every device kind, built from the model itself."""

from datetime import UTC, datetime

import numpy as np

from igoudar.core.model import (
    BatteryBank,
    CoolingPlant,
    Device,
    Feed,
    FlexibleLoad,
    Grid,
    Hall,
    Kind,
    Rack,
    Site,
    SolarFarm,
    WindFarm,
)
from igoudar.simulators.plant.resource import Resource

START = datetime(2025, 1, 6, tzinfo=UTC)


def device(name: str, kind: Kind, subject: str, role: str = "", share: float = 1.0) -> Device:
    return Device(name, kind, "test", "modbus-tcp://127.0.0.1:1/1", subject, role=role, share=share)


def _meters() -> list[Device]:
    subjects = {
        "grid": "grid",
        "transformer": "transformer-1",
        "it": "hall-a",
        "pv": "pv",
        "wind": "wind",
        "battery": "battery",
        "cooling": "cooling",
        "desalination": "desalination",
        "electrolyser": "electrolyser",
    }
    return [device(f"meter-{role}", Kind.METER, subject, role) for role, subject in subjects.items()]


def _others() -> list[Device]:
    racks = [f"rack-{i}" for i in range(1, 9)]
    return [
        *(device(f"pdu-{rack}-{side}", Kind.PDU, rack, share=0.5) for rack in racks for side in "ab"),
        *(device(f"sensors-{rack}", Kind.RACK_SENSORS, rack) for rack in racks),
        *(device(f"gpu-{rack}", Kind.GPU, rack) for rack in racks),
        *(device(f"shelf-{rack}", Kind.POWER_SHELF, rack) for rack in racks),
        device("inverter-1", Kind.INVERTER, "pv", share=0.5),
        device("inverter-2", Kind.INVERTER, "pv", share=0.5),
        device("turbine-1", Kind.TURBINE, "wind"),
        device("battery-1", Kind.BATTERY, "battery"),
        device("weather-1", Kind.WEATHER, "site"),
        device("chiller-1", Kind.CHILLER, "cooling"),
        device("cdu-1", Kind.CDU, "cdu-1"),
        device("dry-cooler-1", Kind.DRY_COOLER, "cooling"),
        device("plant-1", Kind.COOLING_PLANT, "cooling"),
        device("desalination-1", Kind.DESALINATION, "desalination"),
        device("electrolyser-1", Kind.ELECTROLYSER, "electrolyser"),
    ]


def lab(halls: int = 1) -> Site:
    """About 1 MW of IT per hall, like the teaching site."""
    names = [f"hall-{'abcdefghijklmnopqrstuvwxyz'[i % 26]}{i // 26 or ''}" for i in range(halls)]
    racks = tuple(
        Rack(
            f"rack-{h * 8 + i}",
            hall,
            "a",
            i,
            72,
            132e3,
            29e3,
            (f"{hall}-feed-a", f"{hall}-feed-b"),
            f"cdu-{h + 1}",
        )
        for h, hall in enumerate(names)
        for i in range(1, 9)
    )
    feeds = (
        Feed("grid", "grid", "", 2e6 * halls),
        Feed("transformer-1", "transformer", "grid", 1.6e6 * halls),
        *(Feed(f"{hall}-feed-{side}", "feeder", "transformer-1", 1.2e6) for hall in names for side in "ab"),
    )
    return Site(
        "lab",
        "A lab",
        23.7,
        -15.9,
        10.0,
        "Africa/El_Aaiun",
        tuple(Hall(name) for name in names),
        racks,
        feeds,
        tuple(_meters() + _others()),
        solar=SolarFarm(ac_w=600e3 * halls),
        wind=WindFarm(1, 500e3 * halls),
        battery=BatteryBank(1e6 * halls, 400e3 * halls),
        cooling=CoolingPlant(dry_coolers=halls, chillers=halls),
        desalination=FlexibleLoad(60e3 * halls, 600e3 * halls),
        electrolyser=FlexibleLoad(100e3 * halls, 800e3 * halls),
        grid=Grid(1.5e6 * halls, 400e3 * halls),
    )


def breeze(seed: int = 1) -> Resource:
    """Four days of made-up sun and wind, for tests that need no real sky."""
    hours = np.arange(96)
    sun = np.clip(np.sin((hours % 24 - 7) / 12 * np.pi), 0.0, 1.0) * 0.8
    wind = np.random.default_rng(seed).uniform(0.0, 1.0, 96)
    return Resource(sun, wind)
