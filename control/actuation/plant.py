"""From the plan in force to commands for the plant; without one, devices follow their own rule."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

import numpy as np

from igoudar.control.actuation.command import Command, Origin
from igoudar.control.actuation.guard.rules import CLASSES
from igoudar.control.actuation.memory import Memory
from igoudar.control.actuation.sight import Sight
from igoudar.control.plan_service import PlanService
from igoudar.control.planner.ask import STEP, Plan
from igoudar.control.planning.battery import APART, GRID_W, Course, Stock, discharge_most_w
from igoudar.control.roster import Roster
from igoudar.control.steering import Moment
from igoudar.core.model import Kind

FREE_PCT, STEP_PCT = 100.0, 5.0  # rates and powers are asked for in steps of so much
OVER, UNDER = 1.02, 0.90  # of the export limit: curtail above, let go below
DRIVES: Mapping[Kind, str] = {Kind.DESALINATION: "desalination", Kind.ELECTROLYSER: "electrolyser"}
# What a device is given when nobody can see what it does: its own rule.
SAFE: Mapping[str, float] = {"discharge_rate_pct": FREE_PCT, "charge_rate_pct": FREE_PCT}


@dataclass(slots=True)
class PlantOrders:
    """What the plan wants of battery, farms and flexible loads.

    Args:
        plant: Who is who.
        planner: Has the plan in force.
        memory: What stands of what we asked for.
        life: Of a command, and of the timers it arms.
    """

    plant: Roster
    planner: PlanService
    memory: Memory
    life: timedelta
    _seen_at: datetime | None = None
    _driven: dict[str, float] = field(default_factory=dict)

    def commands(self, sight: Sight, moment: Moment) -> list[Command]:
        """This cycle's; stale telemetry holds what stands, and after a while lets go of it."""
        if not moment.fresh:
            return list(self._blind(moment.now))
        self._seen_at = moment.now
        force = self.planner.in_force(moment.now)
        plan = force.plan if force.source == "optimal" else None
        return [
            *self._battery(plan, moment),
            *self._curtail(moment),
            *self._drives(plan, moment),
        ]

    def _blind(self, now: datetime) -> Iterator[Command]:
        held_s = self.plant.site.guard.hold_s
        if self._seen_at is None or (now - self._seen_at).total_seconds() <= held_s:
            return
        for (target, point), held in list(self.memory.held.items()):
            safe = SAFE.get(point)
            if safe is not None and held.origin is Origin.PLAN and held.value != safe:
                yield self._command(target, point, safe, now, "plant.let_go", Origin.SAFETY)

    # --- battery --------------------------------------------------------------------------------------------

    def _battery(self, plan: Plan | None, moment: Moment) -> Iterator[Command]:
        """A bound on what goes out, while the plan keeps charge for later; else its own rule."""
        most_w, code = self._most_w(plan, moment), "plant.battery_keep"
        precharge_w = self._precharge_w(plan, moment)
        if precharge_w:
            most_w, code = -precharge_w, "plant.battery_prepare"
        pct = FREE_PCT if most_w is None else self._pct(most_w)
        code = "plant.battery_free" if pct == FREE_PCT else code
        for device in self.plant.kinds.get(Kind.BATTERY, ()):
            if "discharge_rate_pct" not in self.plant.profiles[device.profile].points:
                continue  # watts alone would end the device's own rule, not bound it
            if pct != FREE_PCT or self._holds(device.name, "discharge_rate_pct", FREE_PCT):
                yield self._command(
                    device.name, "discharge_rate_pct", pct, moment.now, code, power_w=abs(most_w or 0.0)
                )

    def _precharge_w(self, plan: Plan | None, moment: Moment) -> float:
        """Charge to buy now for an announced import limit: the least of a bound below nothing forces it.

        Forced power follows no meter, so what the grid may give beside the load as it is now bounds it.
        """
        step, surplus_w = plan.step(moment.now) if plan else None, moment.powers.surplus_w
        if plan is None or step is None or plan.precharge_w is None or surplus_w is None:
            return 0.0
        room_w = self.plant.site.grid.import_limit_w + surplus_w
        wanted_w = min(float(plan.precharge_w[step]), room_w)
        return wanted_w if wanted_w > max(surplus_w, APART * self.plant.site.battery.power_w) else 0.0

    def _most_w(self, plan: Plan | None, moment: Moment) -> float | None:
        bank, surplus_w = self.plant.site.battery, moment.powers.surplus_w
        step = plan.step(moment.now) if plan else None
        if plan is None or step is None or plan.stored_wh is None:
            return None
        if moment.soc_pct is None or surplus_w is None or not bank.power_w:
            return None
        left = plan.start + STEP * (step + 1) - moment.now
        stock = Stock(bank.power_w, bank.efficiency, bank.energy_wh * moment.soc_pct / 100, surplus_w)
        imported_w, hours = float(plan.powers["import_w"][step]), left.total_seconds() / 3600
        course = Course(float(plan.stored_wh[step]), imported_w, hours)
        return discharge_most_w(stock, course, kept=self._kept())

    def _kept(self) -> bool:
        """Whether a bound of ours stands on any battery."""
        batteries = self.plant.kinds.get(Kind.BATTERY, ())
        return any(self._holds(device.name, "discharge_rate_pct", FREE_PCT) for device in batteries)

    def _pct(self, most_w: float) -> float:
        exact = 100 * most_w / self.plant.site.battery.power_w
        return min(FREE_PCT, STEP_PCT * round(exact / STEP_PCT))

    # --- farms ----------------------------------------------------------------------------------------------

    def _curtail(self, moment: Moment) -> Iterator[Command]:
        """Only where the farm does not keep the export limit by itself: sun first, it answers at once."""
        limit_w, grid_w = self.plant.site.grid.export_limit_w, moment.powers.grid_w
        inverters = self.plant.kinds.get(Kind.INVERTER, ())
        if grid_w is None or not inverters or not self.plant.site.solar.ac_w:
            return
        held = any(self._holds(device.name, "limit_pct", FREE_PCT) for device in inverters)
        if -grid_w <= OVER * limit_w + self.plant.site.solar.ac_w / 100 and not held:
            return
        pv_w = moment.powers.pv_w or 0.0
        allowed_w = max(0.0, pv_w + limit_w + grid_w)
        pct = min(FREE_PCT, 100 * allowed_w / self.plant.site.solar.ac_w)
        if held and -grid_w < UNDER * limit_w:
            pct = FREE_PCT
        for device in inverters:
            yield self._command(
                device.name, "limit_pct", float(round(pct)), moment.now, "plant.curtail", limit_w=limit_w
            )

    # --- flexible loads -------------------------------------------------------------------------------------

    def _drives(self, plan: Plan | None, moment: Moment) -> Iterator[Command]:
        """The plan's power in this step; once driven, an even spread while there is no plan."""
        if not self.plant.site.guard.plan_loads:
            return
        step = plan.step(moment.now) if plan else None
        for kind, name in DRIVES.items():
            load = getattr(self.plant.site, name)
            if plan is not None and step is not None and name in plan.drives:
                power_w, code = drive_w(plan, name, step), "plant.drive"
            elif name in self._driven:
                power_w, code = load.daily_wh / 24, "plant.drive_even"
            else:
                continue
            self._driven[name] = power_w
            for device in self.plant.kinds.get(kind, ()):
                value = _stepped(power_w, load.power_w) * device.share
                yield self._command(device.name, "limit_w", value, moment.now, code, power_w=value)

    # --- commands -------------------------------------------------------------------------------------------

    def _holds(self, device: str, point: str, apart_from: float) -> bool:
        """Whether something of ours other than a value stands there."""
        held = self.memory.held.get((device, point))
        return held is not None and held.origin is Origin.PLAN and held.value != apart_from

    def _command(
        self,
        target: str,
        point: str,
        value: float,
        now: datetime,
        code: str,
        origin: Origin = Origin.PLAN,
        **params: object,
    ) -> Command:
        return Command(
            command_id=uuid4().hex,
            actuator=CLASSES[self.plant.devices[target].kind],
            target=target,
            point=point,
            issued_at=now,
            expires_at=now + self.life,
            origin=origin,
            who="control",
            code=code,
            params=params,
            value=value,
        )


def _stepped(power_w: float, rated_w: float) -> float:
    """A power in steps of the rating: a plan that moves by less is not worth a write."""
    steps = 100 / STEP_PCT
    share = round(steps * power_w / rated_w) / steps if rated_w else 0.0
    return min(1.0, share) * rated_w + 0.0  # -0.0 reads badly


def drive_w(plan: Plan, name: str, step: int) -> float:
    """The plan's power of a flexible load; what is imported for it anyway is spread until midnight, UTC."""
    day = (plan.start + STEP * step).date()
    rest = [at for at in range(step, len(plan.gpus)) if (plan.start + STEP * at).date() == day]
    planned = np.maximum(0.0, plan.drives[name])
    imports = float(plan.powers["import_w"][step]) > GRID_W
    return float(min(planned[step], planned[rest].mean()) if imports else planned[step])
