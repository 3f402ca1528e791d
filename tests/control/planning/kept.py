"""A rolling planner that remembers, and days of jobs for it."""

from hypothesis import strategies as st

from igoudar.control.planning.plan.program import Solved
from igoudar.control.planning.policy import Limits, Orders, View, Why
from igoudar.control.planning.rolling import Rolling

# GPUs, submission step, steps of work, steps of slack.
rows_of_a_day = st.lists(
    st.tuples(st.integers(1, 12), st.integers(0, 60), st.integers(1, 16), st.integers(0, 40)),
    min_size=1,
    max_size=12,
)


class Kept(Rolling):
    """Keeps all orders and every optimum."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        self.orders: list[Orders] = []
        self.solved: list[Solved] = []

    def decide(self, view: View) -> Orders:
        self.orders.append(super().decide(view))
        return self.orders[-1]

    @property
    def said(self) -> list[tuple[Why, ...]]:
        return [orders.step_reasons for orders in self.orders]

    def _gave_way(self, solved: Solved) -> tuple[Why, ...]:
        self.solved.append(solved)
        return super()._gave_way(solved)
