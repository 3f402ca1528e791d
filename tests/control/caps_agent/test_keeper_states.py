"""Whatever happens in whatever order: no cap outlives its end, none is lost to a boot, no range is passed."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.control.caps_agent.conftest import RULES, Boots, keeper
from tests.peers.nvml import VARIABLE, Node, preloaded

from igoudar.collectors.results import Success
from igoudar.control.caps_agent.asking import Asked

GPUS = ("0", "1", "all")
DEFAULT_W, FACTORY_W = 1000.0, 1200.0


class Promises(RuleBasedStateMachine):
    """The agent against a model that only remembers what was promised, and until when."""

    folder: Path
    node: Node

    def __init__(self) -> None:
        super().__init__()
        self.kept = TemporaryDirectory()
        self.clock, self.state = Boots(), Path(self.kept.name)
        self.node.reset()
        self.agent = keeper(self.state, self.clock)
        self.promised: dict[int, tuple[float, float]] = {}  # GPU -> limit, wall end
        self.commands = 0

    def teardown(self) -> None:
        self.kept.cleanup()

    @property
    def now(self) -> float:
        return self.clock.at.timestamp()

    @rule(gpu=st.sampled_from(GPUS), limit_w=st.floats(300, 1300), life_s=st.floats(1, 3600))
    def ask(self, gpu: str, limit_w: float, life_s: float) -> None:
        self.commands += 1
        limit_w = round(limit_w, 1)
        result = self.agent.set_cap(Asked(gpu, f"c{self.commands}", limit_w, life_s))
        allowed = RULES.minimum_w <= limit_w <= RULES.maximum_w
        assert isinstance(result, Success) == allowed
        if allowed:
            for number in (0, 1) if gpu == "all" else (int(gpu),):
                self.promised[number] = (limit_w, self.now + life_s)

    @rule(seconds=st.floats(1, 2000))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.agent.tick()

    @rule()
    def restart(self) -> None:
        self.agent = keeper(self.state, self.clock)
        self.agent.tick()

    @rule(away_s=st.floats(10, 5000))
    def reboot(self, away_s: float) -> None:
        self.clock.reboot(away_s)
        self.node.reboot()
        self.agent = keeper(self.state, self.clock)
        self.agent.tick()

    @precondition(lambda self: self.promised)
    @rule(limit_mw=st.integers(400_000, 1_200_000))
    def meddle(self, limit_mw: int) -> None:
        self.node.change(0, limit=limit_mw)
        self.agent.tick()

    @invariant()
    def every_gpu_holds_what_was_promised(self) -> None:
        over = [n for n, (_, end) in self.promised.items() if end <= self.now + 1e-3]
        for number in over:
            del self.promised[number]
        for number, limit_w in enumerate(self.node.limits_w):
            if number in self.promised:
                assert limit_w == pytest.approx(self.promised[number][0], abs=1.0)
            elif number in over:
                assert limit_w in (DEFAULT_W, FACTORY_W)


def test_promises_are_kept_in_any_order(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    preloaded(library)
    Promises.node = Node(tmp_path / "gpus")
    monkeypatch.setenv(VARIABLE, str(Promises.node.file))
    run_state_machine_as_test(Promises, settings=settings(max_examples=30, stateful_step_count=15))
