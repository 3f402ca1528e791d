"""One simulated device behind a Modbus unit id: registers refreshed from its firmware when they are read."""

from collections.abc import Callable

from igoudar.core.errors import IgoudarError
from igoudar.simulators.devices import Firmware
from igoudar.simulators.modbus_server import DEVICE_FAILURE, ModbusRefusal
from igoudar.simulators.registers import RegisterBank


class ModbusDevice:
    """Registers in front, firmware behind.

    Args:
        firmware: The device.
        bank: Its registers.
        step: Number of the plant's last step: registers are encoded at most once per step, when read.
    """

    def __init__(self, firmware: Firmware, bank: RegisterBank, step: Callable[[], int]) -> None:
        self.name = firmware.device.name
        self._firmware, self._bank, self._step = firmware, bank, step
        self._shown = -1

    def read(self, function: int, address: int, count: int) -> bytes:
        """Registers as of the plant's last step."""
        step = self._step()
        if step != self._shown:
            self._bank.store(self._firmware.values())
            self._shown = step
        return self._bank.read(function, address, count)

    def write(self, address: int, data: bytes) -> None:
        """Hand the setpoints in `data` to the firmware; none of them when one is not allowed."""
        try:
            for point, value in self._bank.setpoints(address, data):
                self._firmware.write(point, value)
        except IgoudarError as error:
            raise ModbusRefusal(DEVICE_FAILURE) from error
        finally:
            self._shown = -1
