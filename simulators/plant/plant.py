"""The plant: sun, wind, air, cooling, racks, battery, grid and cluster in one energy balance."""

from collections.abc import Sequence
from datetime import UTC, datetime

from igoudar.core.model import Device, Job, Kind, Site
from igoudar.simulators.plant import checkpoint
from igoudar.simulators.plant.actions import act
from igoudar.simulators.plant.battery import Battery
from igoudar.simulators.plant.bindings import read
from igoudar.simulators.plant.cluster import EPSILON_S, Cluster
from igoudar.simulators.plant.cooling import Cooling
from igoudar.simulators.plant.farm import Farm
from igoudar.simulators.plant.flexible_loads import (
    DESALINATION_WH_PER_M3,
    ELECTROLYSER_WH_PER_KG,
    Drive,
)
from igoudar.simulators.plant.generator import JobGenerator
from igoudar.simulators.plant.grid import Transformers, export_w
from igoudar.simulators.plant.jobs import JobList, JobSource, JobTrace
from igoudar.simulators.plant.pacing import pace
from igoudar.simulators.plant.racks import Racks, urgent_w
from igoudar.simulators.plant.resource import Resource
from igoudar.simulators.plant.totals import Totals
from igoudar.simulators.plant.weather import Weather

MINUTE_S = 60.0


class Plant:
    """A simulated site; the same seed and inputs give the same weather, whatever is done to it."""

    def __init__(
        self,
        site: Site,
        start: datetime,
        seed: int,
        resource: Resource | None = None,
        jobs: Sequence[Job] | None = None,
    ) -> None:
        self.site, self.start, self.seed = site, start, seed
        self.time_s = start.timestamp()
        self.weather = Weather(site, seed, resource)
        self.racks = Racks(site, seed)
        self.cooling = Cooling(site)
        self.transformers = Transformers(site, self.racks.weights)
        self.solar = Farm(site.solar.ac_w, _of_kind(site, Kind.INVERTER), seed, 5)
        self.wind = Farm(site.wind.ac_w, _of_kind(site, Kind.TURBINE), seed, 7)
        self.battery = Battery(site.battery, {d.name: d.share for d in _of_kind(site, Kind.BATTERY)})
        self.desalination: Drive = Drive(site.desalination, DESALINATION_WH_PER_M3)
        self.electrolyser: Drive = Drive(site.electrolyser, ELECTROLYSER_WH_PER_KG)
        self.cluster = Cluster(self.racks.flexible_gpus, seed)
        self.cluster.now_s = self.time_s
        self.arrivals: JobSource | None = _source(self, jobs)
        self.arrived_s = self.time_s  # jobs submitted before are on the cluster
        self.totals = Totals()
        self.grid_w = 0.0
        self.sky = self.weather.at(self.time_s)
        self.initial_wh = self.battery.stored_wh
        self._balance(self.time_s, MINUTE_S)

    @property
    def now(self) -> datetime:
        """Site time, UTC."""
        return datetime.fromtimestamp(self.time_s, UTC)

    def step(self, seconds: float) -> None:
        """Advance by `seconds`; jobs end and start at their exact times inside."""
        end = self.time_s + seconds
        self.cluster.advance(self.time_s, self._arrivals())  # and follow orders given since the last step
        while self.time_s < end:
            until = min(end, self._next_event_s())
            self._run(until)
        if self.racks.occupied is None:
            self.totals.work_gpu_s = self.cluster.work_gpu_s()

    def _next_event_s(self) -> float:
        """The next whole minute, or the next thing that happens on the cluster."""
        minute = (self.time_s // MINUTE_S + 1.0) * MINUTE_S
        events = (minute, self.cluster.next_event_s(), self._next_arrival_s(minute))
        return max(min(events), self.time_s + EPSILON_S)

    def _next_arrival_s(self, before: float) -> float:
        found = self.arrivals.between(self.arrived_s, before) if self.arrivals else []
        return found[0].submitted.timestamp() if found else before

    def _run(self, until: float) -> None:
        """One stretch of constant power, then what happens at its end."""
        start, seconds = self.time_s, until - self.time_s
        self._balance((start + until) / 2.0, seconds)
        self._count(seconds)
        self.time_s = until
        self.cluster.advance(until, self._arrivals())

    def _arrivals(self) -> Sequence[Job]:
        """Jobs submitted since they were last asked for."""
        since, self.arrived_s = self.arrived_s, self.time_s + EPSILON_S
        return self.arrivals.between(since, self.arrived_s) if self.arrivals else []

    def _balance(self, middle_s: float, seconds: float) -> None:
        """Set every power for a stretch of `seconds` around `middle_s`."""
        self.sky = self.weather.at(middle_s)
        self._load_racks(middle_s)
        cooling_w = self.cooling.carry(self.racks.power_w, self.sky)
        self.transformers.carry(self.racks.power_w, cooling_w)
        self.solar.resource(self.sky.pv_ratio)
        self.wind.resource(self.sky.wind_ratio * self.site.wind.derating)
        start_s = middle_s - seconds / 2.0
        flexible = self.desalination.decide(start_s, seconds) + self.electrolyser.decide(start_s, seconds)
        self._share_out(float(self.transformers.load_w.sum()) + flexible, seconds)

    def _load_racks(self, middle_s: float) -> None:
        """From the site's own urgent load and cluster, or from the scheduler that it follows."""
        if self.racks.occupied is None:
            self.racks.load(urgent_w(self.site, self.seed, middle_s), self.cluster.busy)
            pace(self.cluster, self.racks.limits.throughput)
        else:
            self.racks.follow(self.racks.occupied)

    def _share_out(self, load_w: float, seconds: float) -> None:
        """Battery first, then the grid; what neither takes is curtailed, from sun and wind alike."""
        offered = float(self.solar.possible_w.sum() + self.wind.possible_w.sum())
        battery_w = self.battery.follow(offered - load_w, seconds)
        surplus = offered + battery_w - load_w
        spilled = max(0.0, surplus - export_w(self.site.grid, surplus))
        keep = 1.0 - min(1.0, spilled / offered) if offered > 0 else 1.0
        self.solar.produce(keep)
        self.wind.produce(keep)
        made = float(self.solar.power_w.sum() + self.wind.power_w.sum())
        self.grid_w = load_w - made - battery_w

    def _count(self, seconds: float) -> None:
        """Count the energies of a stretch."""
        parts = (
            *(self.racks, self.cooling, self.transformers, self.solar, self.wind),
            *(self.battery, self.desalination, self.electrolyser),
        )
        for part in parts:
            part.run(seconds)
        self._add_totals(seconds / 3600.0)
        if self.racks.occupied is not None:
            self.totals.work_gpu_s += float(self.racks.occupied.flexible @ self.racks.gpus) * seconds

    def _add_totals(self, hours: float) -> None:
        totals, units = self.totals, self.battery.converters.values()
        totals.pv_available += float(self.solar.available_w.sum()) * hours
        totals.wind_available += float(self.wind.available_w.sum()) * hours
        totals.grid_import += max(0.0, self.grid_w) * hours
        totals.grid_export += max(0.0, -self.grid_w) * hours
        totals.flexible += self.racks.flexible_w * hours
        totals.urgent_cut += self.racks.limits.urgent_cut_w * hours
        totals.losses += float(self.transformers.loss_w.sum()) * hours
        totals.pv, totals.wind = float(self.solar.energy_wh.sum()), float(self.wind.energy_wh.sum())
        totals.urgent = float(self.racks.energy_wh.sum()) - totals.flexible
        totals.cooling = self.cooling.energy_wh
        totals.desalination, totals.electrolyser = self.desalination.energy_wh, self.electrolyser.energy_wh
        totals.battery_charge = sum(unit.charge_wh for unit in units)
        totals.battery_discharge = sum(unit.discharge_wh for unit in units)
        totals.battery_losses = sum(unit.loss_wh for unit in units)
        totals.battery_stored = self.battery.stored_wh - self.initial_wh

    def load_w(self) -> float:
        """Load of the whole campus: facility, desalination, electrolyser [W]."""
        facility = float(self.transformers.load_w.sum())
        return facility + self.desalination.power_w + self.electrolyser.power_w

    def values(self, device: Device) -> dict[str, float | None]:
        """Canonical points of a device as they stand now (docs/glossary.md)."""
        return read(self, device)

    def write(self, device: Device, point: str, value: float) -> None:
        """Act on the physics through a device's writable point."""
        act(self, device, point, value)

    def checkpoint(self) -> bytes:
        """The whole state, to be taken up by `restore`."""
        return checkpoint.pack(self)

    @classmethod
    def restore(
        cls,
        site: Site,
        data: bytes,
        resource: Resource | None = None,
        jobs: Sequence[Job] | None = None,
    ) -> "Plant":
        """A plant that goes on where `checkpoint` was taken, on the same inputs."""
        kept = checkpoint.unpack(data)
        plant = cls(site, datetime.fromisoformat(kept["start"]), kept["seed"], resource, jobs)
        checkpoint.apply(plant, kept)
        return plant


def _of_kind(site: Site, kind: Kind) -> list[Device]:
    return [device for device in site.devices if device.kind is kind]


def _source(plant: Plant, jobs: Sequence[Job] | None) -> JobSource:
    if jobs is None:
        return JobGenerator(plant.cluster.gpus, plant.seed)
    return jobs if isinstance(jobs, JobTrace) else JobList(jobs)


def drain(*plants: Plant, most_s: float = 30 * 86_400.0) -> None:
    """Run all plants on, without new jobs, until none of them has a job left; all end at the same instant."""
    for plant in plants:
        plant.arrivals = None
        plant.cluster.release_all()
    end = plants[0].time_s + most_s
    while any(not plant.cluster.idle for plant in plants) and plants[0].time_s < end:
        for plant in plants:
            plant.step(15 * MINUTE_S)
