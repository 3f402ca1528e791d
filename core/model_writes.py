"""What profiles and sites say of writing beyond a point's range: interlocks, who has the device, settling."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interlock:
    """A condition without which a point is not written, whoever asks.

    Guarded are writes of a value above `above` and below `below` (all by default). They need a good reading
    of `needs` from `minimum` to `maximum`; what is not known is not met.
    """

    point: str
    needs: str
    minimum: float = -math.inf
    maximum: float = math.inf
    above: float = -math.inf
    below: float = math.inf
    device: str = ""  # whose point is guarded; "" = every device of the profile
    needs_device: str = ""  # whose reading is needed; "" = the same device's

    def guards(self, device: str, point: str, value: float) -> bool:
        """Whether a write falls under it."""
        return point == self.point and self.device in ("", device) and self.above < value < self.below


@dataclass(frozen=True, slots=True)
class Remote:
    """How a product shows whether it listens to us, and that we live; "" = it has no such point."""

    local: str = ""  # the point of the local/remote switch
    local_value: float = 1.0  # what it shows while a person has the device
    heartbeat: str = ""  # a counter that we keep counting while our control loop turns


@dataclass(frozen=True, slots=True)
class WriteRules:
    """`[writes]` of a site file."""

    settle_s: float = 3.0  # wall: after a start nothing is written for so long
