"""What a wish becomes on the wire."""

from math import copysign

from tests.control.demand_response.rig import START, plan_of

from igoudar.control.demand_response.levers import Wishes
from igoudar.control.demand_response.memory import Memory
from igoudar.control.demand_response.orders import Mandate, Orders


def test_a_battery_that_is_to_rest_is_not_told_minus_zero() -> None:
    orders = Orders(plan_of("jazari-lab").site, 1.0)
    batch = orders.batch(Wishes(battery_w=0.0), Memory(), Mandate("e1"), START)
    values = {command.point: command.value for command in batch.setpoints}
    assert values["charge_rate_pct"] == 0.0
    assert all(copysign(1.0, value) == 1.0 for value in values.values() if value is not None)
