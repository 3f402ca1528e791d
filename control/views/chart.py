"""One time axis for what was and what may come; null where nothing is known."""

from igoudar.control.scene import Scene
from igoudar.control.schema import Chart
from igoudar.control.windows import QUARTER

AHEAD_STEPS = 192


def chart(scene: Scene) -> Chart:
    """The last 24 h metered, the load without shift beside it; 48 h ahead without a forecast yet."""
    day = scene.day
    future = [day.time[-1] + QUARTER * step for step in range(1, AHEAD_STEPS + 1)]
    nothing: list[float | None] = [None] * AHEAD_STEPS
    run_now = [scene.run_now.get(at) for at in day.time]
    moved = [
        load - without if load is not None and without is not None else None
        for load, without in zip(day.load_w, run_now, strict=True)
    ]
    return Chart(
        time=day.time + future,
        now=scene.now,
        renewable_w=day.renewable_w + nothing,
        load_w=day.load_w + nothing,
        run_now_w=run_now + nothing,
        moved_w=moved + nothing,
    )
