"""The field: every device of a site behind its protocol server, on free loopback ports."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Protocol, Self

from igoudar.core.model import Device, Profile, Site
from igoudar.simulators.devices import Firmware, Firmwares, ValueSource
from igoudar.simulators.faults import FaultBoard
from igoudar.simulators.http_server import HttpServer
from igoudar.simulators.metrics_server import MetricsPages
from igoudar.simulators.modbus_device import ModbusDevice
from igoudar.simulators.modbus_server import ModbusServer
from igoudar.simulators.ratings import largest_values
from igoudar.simulators.redfish_server import ROOT, RedfishPages
from igoudar.simulators.registers import RegisterBank

PER_GATEWAY = 32  # Modbus devices behind one port
PER_SERVICE = 8  # power shelves behind one Redfish service: those of half a row


class SteppedSource(ValueSource, Protocol):
    """A value source that counts its steps."""

    steps: int


class Field:
    """Protocol servers of a site while the context is open; `endpoints` then says where each device answers.

    Args:
        site: Whose devices.
        profiles: Products by name.
        plant: Where values come from and setpoints go.
        faults: Which device misbehaves, and how.
        floor_s: The shortest time a reversion timer runs, site time [s].
    """

    def __init__(
        self,
        site: Site,
        profiles: Mapping[str, Profile],
        plant: SteppedSource,
        faults: FaultBoard,
        floor_s: float,
    ) -> None:
        self._site, self._plant, self._faults = site, plant, faults
        self._all = {d.name: Firmware(d, profiles[d.profile], plant, floor_s) for d in site.devices}
        self.firmwares = Firmwares(self._all.values())
        self.endpoints: dict[str, str] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:  # a server that can't start takes the earlier ones with it
            await self._open_modbus(stack)
            await self._open_metrics(stack)
            await self._open_redfish(stack)
            await self._open_opcua(stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    def _speaking(self, protocol: str) -> dict[str, Firmware]:
        return {name: f for name, f in self._all.items() if f.profile.protocol == protocol}

    async def _open_modbus(self, stack: AsyncExitStack) -> None:
        devices = list(self._speaking("modbus").values())
        for start in range(0, len(devices), PER_GATEWAY):
            group = enumerate(devices[start : start + PER_GATEWAY], start=1)
            units = {unit: self._modbus_device(firmware, unit) for unit, firmware in group}
            server = await stack.enter_async_context(ModbusServer(units, self._faults.of))
            for unit, device in units.items():
                self.endpoints[device.name] = f"modbus-tcp://127.0.0.1:{server.port}/{unit}"

    def _modbus_device(self, firmware: Firmware, unit: int) -> ModbusDevice:
        device, profile = firmware.device, firmware.profile
        bank = RegisterBank(profile, largest_values(device, profile, self._site), device.name, unit)
        return ModbusDevice(firmware, bank, lambda: self._plant.steps)

    async def _open_metrics(self, stack: AsyncExitStack) -> None:
        racks = self._speaking("prometheus")
        if not racks:
            return
        gpus = {rack.name: rack.gpus for rack in self._site.racks}
        per_tag = {name: _gpus(firmware.device, gpus) for name, firmware in racks.items()}
        server = await stack.enter_async_context(HttpServer(MetricsPages(racks, per_tag, self._faults)))
        self.endpoints |= {name: f"{server.url}/{name}/metrics" for name in racks}

    async def _open_redfish(self, stack: AsyncExitStack) -> None:
        shelves = list(self._speaking("redfish").items())
        for start in range(0, len(shelves), PER_SERVICE):
            group = dict(shelves[start : start + PER_SERVICE])
            server = await stack.enter_async_context(HttpServer(RedfishPages(group, self._faults)))
            for name in group:
                url = server.url.replace("http://", "redfish-http://")
                self.endpoints[name] = f"{url}/{ROOT}/{name}"

    async def _open_opcua(self, stack: AsyncExitStack) -> None:
        devices = self._speaking("opcua")
        if not devices:
            return
        from igoudar.simulators.opcua_server import OpcUaServer  # costs a second of CPU to import

        server = OpcUaServer(devices, lambda: self._plant.now, self._faults.of)
        await stack.enter_async_context(server)
        self.endpoints |= {name: f"opc.tcp://127.0.0.1:{server.port}/{name}" for name in devices}


def _gpus(device: Device, by_rack: Mapping[str, int]) -> int:
    return by_rack.get(device.subject, 1)
