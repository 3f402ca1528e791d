"""Whose the plant is: epochs only grow, deadlines are ours, and a stalled loop is seen."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igoudar.collectors.authority import Authority, Hold, pack_authority, unpack_authority
from igoudar.collectors.mandate import Mandate
from igoudar.collectors.results import Rejected, Success
from igoudar.collectors.wire import pack_time, unpack_time
from igoudar.core.errors import CommandError
from tests.collectors.rigs import START
from tests.safety.plant import Seconds, plant
from tests.safety.recorder import Telegram


def test_an_older_holder_is_refused_even_after_a_restart(tmp_path: Path) -> None:
    mandate = Mandate(tmp_path)
    mandate.take(Authority(7, "b", 10.0))
    with pytest.raises(CommandError, match="taken over by epoch 7"):
        mandate.take(Authority(6, "a", 10.0))
    assert not Mandate(tmp_path).valid
    with pytest.raises(CommandError, match="taken over by epoch 7"):
        Mandate(tmp_path).take(Authority(6, "a", 10.0))
    Mandate(tmp_path).take(Authority(7, "b", 10.0))


def test_two_holders_of_one_epoch_are_one_too_many(tmp_path: Path) -> None:
    mandate = Mandate(tmp_path)
    mandate.take(Authority(7, "b", 10.0))
    with pytest.raises(CommandError, match="epoch of b"):
        mandate.take(Authority(7, "a", 10.0))


def test_an_epoch_that_can_not_be_read_obeys_nobody(tmp_path: Path) -> None:
    (tmp_path / "epoch").write_text("many")
    with pytest.raises(CommandError, match="epoch"):
        Mandate(tmp_path)


def test_it_ends_by_our_own_clock(tmp_path: Path) -> None:
    wall = Seconds()
    mandate = Mandate(tmp_path, wall)
    mandate.take(Authority(1, "a", 10.0, {"loads": "auto"}))
    wall.now_s += 9.9
    assert mandate.mode("loads") == "auto"
    wall.now_s += 0.2
    assert not mandate.valid
    assert mandate.mode("loads") == "observe"


def test_what_a_stopped_process_sends_late_is_worth_nothing(tmp_path: Path) -> None:
    """It reckoned its deadline, was stopped for a minute, and sends what it had reckoned."""
    wall = Seconds()
    mandate = Mandate(tmp_path, wall)
    stale = Authority(1, "a", 10.0, deadline_s=wall() + 10.0)
    wall.now_s += 60
    mandate.take(stale)
    assert not mandate.valid


async def test_an_authority_that_ends_on_the_way_to_the_wire_stops_the_write(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready(lease_s=5.0)
        _, limit = site.place("inverter", "limit_pct")

        async def slow(telegram: Telegram) -> None:
            if telegram.address == limit:
                site.wait(6.0)

        site.recorder.before_answer = slow
        assert await site.write("limit_pct", 50.0) == Rejected("no_authority")
        assert not site.recorder.written


async def test_a_successor_may_write_at_once_where_the_first_may_not(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        site.grant(epoch=2)
        assert await site.write("limit_pct", 50.0, epoch=1) == Rejected("stale_epoch")
        assert await site.write("limit_pct", 50.0, epoch=2) == Success(50.0)


times = st.datetimes().map(lambda at: unpack_time(pack_time(at.replace(tzinfo=START.tzinfo))))


@given(
    authority=st.builds(
        Authority,
        epoch=st.integers(0, 2**40),
        holder=st.text(),
        lease_s=st.floats(0, 1e6),
        modes=st.dictionaries(st.text(), st.text()),
        overrides=st.lists(st.builds(Hold, st.text(), st.text(), times)).map(tuple),
        cycle=st.integers(0, 2**40),
        deadline_s=st.one_of(st.none(), st.floats(0, 1e9)),
    )
)
def test_it_survives_the_socket(authority: Authority) -> None:
    assert unpack_authority(pack_authority(authority)) == authority
