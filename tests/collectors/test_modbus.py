"""The strict client against servers that lie, stall, split and close; numbers are field lessons."""

import asyncio
import os
import socket
import struct
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvloop

from igoudar.collectors.faults import Backoff, DeviceFault, LinkFault, Withheld
from igoudar.collectors.modbus import ModbusLink
from igoudar.collectors.modbus_wire import Tcp
from igoudar.collectors.results import Rejected
from igoudar.core.model import ModbusRules, Reason

from .hostile import Answer, Asked, Hostile, hostile

Writer = asyncio.StreamWriter
Runner = Callable[[Coroutine[Any, Any, None]], None]


@asynccontextmanager
async def link_to(answer: Answer, timeout_s: float = 0.2) -> AsyncIterator[tuple[ModbusLink, Hostile]]:
    async with hostile(answer) as server:
        rules = ModbusRules(timeout_s=timeout_s)
        link = ModbusLink(Tcp("127.0.0.1", server.port), rules, Backoff(0.0, jitter=lambda: 0.0))
        yield link, server
        link.release()


async def reason_of(link: ModbusLink, unit: int = 1) -> Reason:
    with pytest.raises(LinkFault) as caught:
        await link.read(unit, 3, 0, 2)
    return caught.value.reason


async def well(asked: Asked, writer: Writer) -> None:
    writer.write(asked.right())


async def test_a_right_answer_is_taken() -> None:
    async with link_to(well) as (link, _):
        assert await link.read(1, 3, 0, 2) == b"\0\7\0\7"


def test_it_works_on_the_loop_that_the_collector_runs_on() -> None:
    async def once() -> None:
        async with link_to(well) as (link, _):
            assert await link.read(1, 3, 0, 2) == b"\0\7\0\7"

    uvloop.run(once())


async def test_lesson_01_a_late_reply_is_never_the_next_requests_answer() -> None:
    held: list[bytes] = []

    async def late(asked: Asked, writer: Writer) -> None:
        if asked.number == 1:
            held.append(asked.right(0xDEAD))
        else:
            writer.write(held[0] + asked.right(7))

    async with link_to(late) as (link, _):
        assert await reason_of(link) is Reason.TIMEOUT
        assert await link.read(1, 3, 0, 2) == b"\0\7\0\7"
        link.release()
        assert link.late == 1


async def test_lesson_02_a_constant_transaction_offset_ends_in_a_reconnect() -> None:
    async def off_by_one(asked: Asked, writer: Writer) -> None:
        body = asked.right()
        writer.write(body if server.connections > 1 else struct.pack(">H", asked.transaction + 1) + body[2:])

    async with link_to(off_by_one, timeout_s=0.05) as (link, server):
        assert await reason_of(link) is Reason.TIMEOUT
        assert await reason_of(link) in (Reason.TIMEOUT, Reason.MALFORMED)
        assert await link.read(1, 3, 0, 2) == b"\0\7\0\7"
        assert (server.connections, link.generation) == (2, 2)


async def test_lesson_06_a_silent_unit_does_not_discard_the_others() -> None:
    async def one_dead(asked: Asked, writer: Writer) -> None:
        if asked.unit != 3:
            writer.write(asked.right(asked.unit))

    async with link_to(one_dead, timeout_s=0.05) as (link, server):
        for _ in range(4):
            answers = await asyncio.gather(
                *(link.read(u, 3, 0, 1) for u in (1, 2, 3, 4)), return_exceptions=True
            )
            assert [a for a in answers if isinstance(a, bytes)] == [b"\0\1", b"\0\2", b"\0\4"]
        assert server.connections == 1


async def test_lesson_07_a_busy_device_is_asked_again() -> None:
    async def busy_twice(asked: Asked, writer: Writer) -> None:
        writer.write(asked.frame(b"\x83\x06") if asked.number < 3 else asked.right())

    async with link_to(busy_twice) as (link, server):
        assert await link.read(1, 3, 0, 2) == b"\0\7\0\7"
        assert server.requests == 3


async def test_a_write_that_was_accepted_is_not_sent_again() -> None:
    async def accepted(asked: Asked, writer: Writer) -> None:
        writer.write(asked.frame(b"\x90\x05"))

    async with link_to(accepted) as (link, server):
        await link.write(1, 0, b"\0\7", lambda: None)
        assert server.requests == 1


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_a_write_without_an_answer_ends_its_connection_and_a_read_does_not(run: Runner) -> None:
    async def silent(asked: Asked, writer: Writer) -> None:
        if asked.number == 2:
            writer.write(asked.right())

    async def once() -> None:
        async with link_to(silent, timeout_s=0.05) as (link, server):
            assert await reason_of(link) is Reason.TIMEOUT
            assert await link.read(1, 3, 0, 2) == b"\0\7\0\7"
            assert server.connections == 1
            with pytest.raises(LinkFault, match="no answer in time"):
                await link.write(1, 0, b"\0\7", lambda: None)
            assert link._line is not None
            assert not link._line.alive

    run(once())


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux has it")
@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
@pytest.mark.parametrize(("timeout_s", "expected_ms"), [(0.2, 1000), (2.5, 2500)])
def test_what_was_not_received_in_time_is_given_up(run: Runner, timeout_s: float, expected_ms: int) -> None:
    async def once() -> None:
        async with hostile(well) as server:
            wire = await Tcp("127.0.0.1", server.port)(timeout_s)
            assert wire._transport is not None
            number = wire._transport.get_extra_info("socket").fileno()
            with socket.socket(fileno=os.dup(number)) as copy:
                assert copy.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == expected_ms
            wire.close()

    run(once())


async def test_a_write_that_was_sent_and_then_withheld_is_not_called_unsent() -> None:
    async def busy(asked: Asked, writer: Writer) -> None:
        writer.write(asked.frame(b"\x90\x06"))

    async with link_to(busy) as (link, server):

        def permit() -> None:
            if server.requests:
                raise Withheld(Rejected("hands_off"))

        with pytest.raises(LinkFault, match="sent before, then withheld") as caught:
            await link.write(1, 0, b"\0\7", permit)
        assert not isinstance(caught.value, Withheld)
        assert server.requests == 1


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (1, Reason.EXCEPTION),
        (2, Reason.EXCEPTION),
        (3, Reason.EXCEPTION),
        (4, Reason.EXCEPTION),
        (6, Reason.BUSY),
        (0x0A, Reason.NO_CONNECTION),
        (0x0B, Reason.TIMEOUT),
        (0x7F, Reason.EXCEPTION),
    ],
)
async def test_lesson_07_every_exception_has_a_defined_answer(code: int, reason: Reason) -> None:
    async def refuse(asked: Asked, writer: Writer) -> None:
        writer.write(asked.frame(bytes((0x83, code))))

    async with link_to(refuse) as (link, server):
        with pytest.raises(DeviceFault) as caught:
            await link.read(1, 3, 0, 2)
        assert (caught.value.reason, caught.value.code) == (reason, code)
        assert server.connections == 1


@pytest.mark.parametrize(
    "lie",
    [
        lambda a: a.frame(b"\3\4\0\7\0\7", unit=9),
        lambda a: a.frame(b"\4\4\0\7\0\7"),
        lambda a: a.frame(b"\3\2\0\7"),
        lambda a: a.frame(b"\3\6\0\7\0\7\0\7"),
        lambda a: a.frame(b"\3\6\0\7\0\7"),
        lambda a: a.frame(b"\x84\2"),
        lambda a: a.frame(b"\3\4\0\7\0\7", transaction=0),
        lambda a: struct.pack(">HHH", a.transaction, 1, 7) + b"\1\3\4\0\7\0\7",
        lambda a: struct.pack(">HHH", a.transaction, 0, 255) + b"\1\3" + bytes(253),
        lambda a: struct.pack(">HHH", a.transaction, 0, 1) + b"\1",
        lambda _: b"HTTP/1.1 400 Bad Request\r\n\r\n",
    ],
    ids=[
        "unit",
        "function",
        "too few",
        "too many",
        "lying count",
        "other exception",
        "id 0",
        "protocol id",
        "too long",
        "too short",
        "another protocol",
    ],
)
async def test_lesson_16_a_wrong_frame_is_never_data(lie: "object") -> None:
    async def answer(asked: Asked, writer: Writer) -> None:
        writer.write(lie(asked) if asked.number == 1 else asked.right())  # type: ignore[operator]

    async with link_to(answer) as (link, _):
        assert await reason_of(link) in (Reason.MALFORMED, Reason.TIMEOUT)
        assert await link.read(1, 3, 0, 2) == b"\0\7\0\7"


async def test_lesson_16_split_and_merged_frames_are_put_together() -> None:
    async def split(asked: Asked, writer: Writer) -> None:
        for byte in asked.right():
            writer.write(bytes((byte,)))
            await writer.drain()

    async with link_to(split) as (link, _):
        assert await link.read(1, 3, 0, 60) == b"\0\7" * 60


async def test_lesson_11_a_closed_connection_fails_the_request_at_once_and_heals() -> None:
    async def slam(asked: Asked, writer: Writer) -> None:
        if asked.number == 1:
            writer.close()
        else:
            writer.write(asked.right())

    async with link_to(slam, timeout_s=30) as (link, server):
        assert await asyncio.wait_for(reason_of(link), 5) is Reason.NO_CONNECTION
        assert await link.read(1, 3, 0, 2) == b"\0\7\0\7"
        assert server.connections == 2


async def test_lesson_16_a_half_open_connection_is_given_up() -> None:
    async def deaf_once(asked: Asked, writer: Writer) -> None:
        if server.connections > 1:
            writer.write(asked.right())

    async with link_to(deaf_once, timeout_s=0.05) as (link, server):
        reasons = [await reason_of(link) for _ in range(3)]
        assert set(reasons) <= {Reason.TIMEOUT, Reason.MALFORMED}
        assert await link.read(1, 3, 0, 2) == b"\0\7\0\7"


async def test_lesson_12_nothing_listening_is_a_fault_and_waits_before_it_tries_again() -> None:
    async with hostile(well) as server:
        port = server.port
    link = ModbusLink(Tcp("127.0.0.1", port), ModbusRules(timeout_s=0.2), Backoff(60.0))
    assert await reason_of(link) is Reason.NO_CONNECTION
    with pytest.raises(LinkFault, match="waiting to try again"):
        await link.read(1, 3, 0, 1)


async def test_lesson_12_file_descriptors_stay_flat_over_reconnects() -> None:
    import psutil

    async with link_to(well) as (link, server):
        await link.read(1, 3, 0, 1)
        before = psutil.Process().num_fds()
        for _ in range(300):
            link.release()
            await link.read(1, 3, 0, 1)
        assert psutil.Process().num_fds() <= before + 4
        assert server.connections == 301


async def test_a_cancelled_caller_leaves_the_link_usable() -> None:
    async def slow_first(asked: Asked, writer: Writer) -> None:
        if asked.number > 1:
            writer.write(asked.right())

    async with link_to(slow_first) as (link, _):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(link.read(1, 3, 0, 2), 0.05)
        assert await link.read(1, 3, 0, 2) == b"\0\7\0\7"


async def test_a_refused_write_is_a_failure_at_once() -> None:
    async def refuse(asked: Asked, writer: Writer) -> None:
        writer.write(asked.frame(b"\x90\x03"))

    async with link_to(refuse) as (link, _):
        with pytest.raises(DeviceFault):
            await link.write(1, 5, b"\0\1", lambda: None)


def test_the_backoff_doubles_is_bounded_and_starts_anew() -> None:
    backoff = Backoff(1.0, 8.0, jitter=lambda: 0.5)
    assert [backoff.failed(0.0) for _ in range(5)] == [1, 2, 4, 8, 8]
    assert not backoff.due(7.9)
    assert backoff.due(8.0)
    backoff.succeeded()
    assert backoff.due(0.0)
    assert backoff.failed(0.0) == 1
