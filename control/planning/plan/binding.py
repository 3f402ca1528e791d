"""What binds in a plan, for its reasons."""

from dataclasses import dataclass

from igoudar.control.planning.table import Floats


@dataclass(frozen=True, slots=True)
class Binding:
    """One constraint over the slots: its figure, and what one more MWh of room in it would save."""

    code: str  # of the reason
    name: str  # of the figure among the reason's parameters
    figure_w: Floats  # inf where there is none
    per_mwh: Floats
