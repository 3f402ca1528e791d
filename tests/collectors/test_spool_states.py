"""The spool over a disk that stops at any call: what was acknowledged is always found again."""

import random
from collections.abc import Callable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from igoudar.collectors.spool import Batch, Spool
from igoudar.core.model import SpoolRules

from .fake_disk import FakeDisk, PowerCutError
from .spooled import named, reading

WIDE = SpoolRules(most_bytes=40_000, hours=1000)  # segments of 5 kB: they roll; never full in a test
CALLS = st.one_of(st.just(-1), st.integers(0, 8))  # -1: nothing happens
ENDS = st.booleans()  # True: the power goes; False: only the process


class SpoolStates(RuleBasedStateMachine):
    """`acknowledged`, `stored` and `settled` are kept outside of the spool, where no power cut reaches."""

    @initialize(seed=st.integers(0, 2**32))
    def start(self, seed: int) -> None:
        self.disk = FakeDisk(random.Random(seed))  # noqa: S311
        self.tried, self.acknowledged, self.stored = set[str](), set[str](), set[str]()
        self.finished, self.settled = set[str](), set[str]()  # said to this spool, and saved by it
        self.count = 0
        self.taken: list[Batch] = []
        self.spool = Spool(self.disk, WIDE)

    def act(self, work: Callable[[], None], cut_after: int, power: bool) -> None:
        """Do something that the disk may stop."""
        self.disk.cut_after = cut_after
        try:
            work()
        except OSError:
            assert self.disk.refuse
        except PowerCutError:
            self.end(power)
        self.disk.cut_after = -1

    def end(self, power: bool) -> None:
        self.disk.refuse = False
        self.disk.power_cut() if power else self.disk.kill()
        self.taken, self.finished = [], set(self.settled)
        self.spool = Spool(self.disk, WIDE)

    @rule(readings=st.integers(1, 5), cut_after=CALLS, power=ENDS, give=st.booleans())
    def append(self, readings: int, cut_after: int, power: bool, give: bool) -> None:
        batch = [reading(self.count + n) for n in range(readings)]
        self.count += readings
        self.tried |= named(batch)

        def work() -> None:
            number = self.spool.append(batch, give=give)
            self.acknowledged.update(named(batch))
            if give:
                self.taken.append(Batch(number, batch))

        self.act(work, cut_after, power)

    @rule(most=st.integers(1, 12), cut_after=CALLS, power=ENDS)
    def take(self, most: int, cut_after: int, power: bool) -> None:
        def work() -> None:
            for batch in self.spool.take(most):
                assert not named(batch.readings) & self.settled, "sent again"
                assert named(batch.readings) <= self.tried
                self.taken.append(batch)

        self.act(work, cut_after, power)

    @precondition(lambda self: self.taken)
    @rule(pick=st.randoms(use_true_random=False))
    def store(self, pick: random.Random) -> None:
        batch = self.taken.pop(pick.randrange(len(self.taken)))
        self.stored |= named(batch.readings)
        self.finished |= named(batch.readings)
        self.spool.finish([batch.number])

    @precondition(lambda self: self.taken)
    @rule()
    def give_back(self) -> None:
        self.spool.release([batch.number for batch in self.taken])
        self.taken = []

    @rule(cut_after=CALLS, power=ENDS)
    def save(self, cut_after: int, power: bool) -> None:
        def work() -> None:
            self.spool.save()
            self.settled |= self.finished

        self.act(work, cut_after, power)

    @rule(power=ENDS)
    def restart(self, power: bool) -> None:
        self.end(power)

    @rule(refuse=st.booleans())
    def fill_disk(self, refuse: bool) -> None:
        self.disk.refuse = refuse

    def teardown(self) -> None:
        self.end(power=True)
        while batches := self.spool.take(7):
            for batch in batches:
                self.stored |= named(batch.readings)
            self.spool.finish([batch.number for batch in batches])
        assert self.acknowledged <= self.stored <= self.tried
        assert self.spool.dropped == 0
        assert self.spool.batches == 0
        self.spool.save()
        assert self.spool.size_bytes == 0


SpoolStates.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestSpoolStates = pytest.mark.filterwarnings("error")(SpoolStates.TestCase)
