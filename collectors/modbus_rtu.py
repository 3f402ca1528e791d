"""Modbus RTU on a serial port: pymodbus's client behind the same line as TCP, its answers checked again.

A serial frame carries no transaction id. What tells a late answer from the next one is time: after a silence
its unit is left alone for one more timeout.
"""

import asyncio
from dataclasses import dataclass
from urllib.parse import parse_qsl

from pymodbus.client import AsyncModbusSerialClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU

from igoudar.collectors import frames
from igoudar.collectors.faults import DeviceFault, LinkFault
from igoudar.core.errors import ConfigError
from igoudar.core.model import Reason

PATIENT_S = 3600.0  # pymodbus's own timeout; ours, per request, always ends earlier
PARITIES = ("N", "E", "O")
# What MODBUS over Serial Line V1.02, section 2.5, has for defaults.
SETTINGS = {"baud": "19200", "parity": "E", "stop": "1"}


@dataclass(frozen=True, slots=True)
class Serial:
    """How to open a serial port."""

    port: str
    baud: int
    parity: str
    stop_bits: int

    @property
    def where(self) -> str:
        """The port."""
        return self.port

    async def __call__(self, timeout_s: float) -> "SerialLine":
        """Open the port.

        Raises:
            OSError: there is no such port, or it can't be opened.
        """
        client = AsyncModbusSerialClient(
            self.port,
            baudrate=self.baud,
            parity=self.parity,
            stopbits=self.stop_bits,
            timeout=PATIENT_S,
            retries=0,
            reconnect_delay=0,
        )
        if not await client.connect():
            client.close()
            raise OSError(f"{self.port} can't be opened")
        return SerialLine(client, timeout_s)


class SerialLine:
    """An open serial port; requests follow each other, whatever units they are for."""

    def __init__(self, client: AsyncModbusSerialClient, timeout_s: float) -> None:
        self.late = 0
        self.tardy: set[int] = set()
        self.proven = False
        self._client, self._timeout_s = client, timeout_s
        self._turn = asyncio.Lock()
        self._quiet_until: dict[int, float] = {}  # by unit, monotonic

    @property
    def alive(self) -> bool:
        """Whether requests can be sent."""
        return bool(self._client.connected)

    def close(self) -> None:
        """Close the port."""
        self._client.close()

    async def send(self, request: frames.Request, timeout_s: float, *, known_silent: bool = False) -> bytes:
        """The answer's registers, or LinkFault."""
        del known_silent
        loop = asyncio.get_running_loop()
        if loop.time() < self._quiet_until.get(request.unit, 0.0):
            raise LinkFault(Reason.TIMEOUT, "too soon after a silence: a late answer could be mistaken")
        try:
            async with self._turn, asyncio.timeout(timeout_s):
                answer = await _execute(self._client, request)
        except TimeoutError as error:
            self._quiet_until[request.unit] = loop.time() + self._timeout_s
            raise LinkFault(Reason.TIMEOUT, "no answer in time") from error
        except ModbusException as error:
            reason = Reason.MALFORMED if self.alive else Reason.NO_CONNECTION
            raise LinkFault(reason, f"the serial line failed ({error})") from error
        return self._judged(request, answer)

    def _judged(self, request: frames.Request, answer: ModbusPDU) -> bytes:
        """The library takes wrong frames for data: its answer is held against the request again."""
        result = frames.payload(request, frames.Frame(0, answer.dev_id, _pdu(answer)))
        if isinstance(result, LinkFault):
            self.proven |= isinstance(result, DeviceFault)
            raise result
        self.proven = True
        return result


def _pdu(answer: ModbusPDU) -> bytes:
    """The bytes of an answer as they stood on the line."""
    return bytes((answer.function_code,)) + answer.encode()


async def _execute(client: AsyncModbusSerialClient, request: frames.Request) -> ModbusPDU:
    pdu, unit = request.pdu, request.unit
    function, address, count = pdu[0], int.from_bytes(pdu[1:3]), int.from_bytes(pdu[3:5])
    if function == frames.WRITE_MANY:
        words = [int.from_bytes(pdu[i : i + 2]) for i in range(6, len(pdu), 2)]
        return await client.write_registers(address, words, device_id=unit)
    readers = {
        1: client.read_coils,
        2: client.read_discrete_inputs,
        3: client.read_holding_registers,
        4: client.read_input_registers,
    }
    return await readers[function](address, count=count, device_id=unit)


def parse_serial(device: str, port: str, query: str) -> Serial:
    """A port from an address: `/dev/ttyUSB0` and `baud=9600&parity=N&stop=2`.

    Raises:
        ConfigError: an unknown or impossible setting.
    """
    given = dict(parse_qsl(query, keep_blank_values=True))
    baud, parity, stop = (given.pop(key, default) for key, default in SETTINGS.items())
    possible = baud.isdecimal() and 0 < int(baud) <= 4_000_000 and parity in PARITIES and stop in ("1", "2")
    if given or not possible or not port:
        fix = "write modbus-rtu:///dev/ttyUSB0?baud=19200&parity=E&stop=1/UNIT"
        raise ConfigError(f"{port}?{query} is no serial port", where=device, fix=fix)
    return Serial(port, int(baud), parity, int(stop))
