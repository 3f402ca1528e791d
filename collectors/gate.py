"""The gate before the wire: looks at the site anew each time, and says whether a write may pass."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from igoudar.collectors.authority import LONGEST_WRITE_S
from igoudar.collectors.checks.ground import Ground
from igoudar.collectors.checks.interlocks import site_locks
from igoudar.collectors.checks.judge import judge
from igoudar.collectors.faults import Withheld
from igoudar.collectors.live import Live
from igoudar.collectors.mandate import Mandate
from igoudar.collectors.poll import Station
from igoudar.collectors.readers import Permit
from igoudar.collectors.results import OutOfBounds, Rejected
from igoudar.core import handsoff
from igoudar.core.clock import Clock
from igoudar.core.model import Setpoint, Site


class Gate:
    """Judges setpoints on the site as it stands now.

    Args:
        site: Its interlocks and its settling time.
        stations: Every device by name.
        live: The newest readings.
        clock: Site time.
        mandate: Who may write.
        state: The folder of the file `handsoff`.
        monotonic: Wall seconds.
    """

    def __init__(
        self,
        site: Site,
        stations: Mapping[str, Station],
        live: Live,
        clock: Clock,
        mandate: Mandate,
        state: Path,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.mandate = mandate
        self._stations, self._live, self._clock, self._state = stations, live, clock, state
        self._locks = site_locks(site)
        self._monotonic, self._settle_s = monotonic, site.writes.settle_s
        self._settled_s = 0.0
        self.stopping = False  # set for good by a clean stop: from then on things are only given back
        self.settle()

    def settle(self) -> None:
        """Start looking: nothing is written until the site's settling time is over."""
        self._settled_s = self._monotonic() + self._settle_s

    @property
    def settled(self) -> bool:
        """Whether the plant has been looked at for long enough."""
        return self._monotonic() >= self._settled_s

    @property
    def hands_off(self) -> bool:
        """Whether a person has stopped all writes."""
        return handsoff.is_on(self._state)

    def set_hands_off(self, on: bool, who: str, why: str) -> None:
        """Stop all writes, or let them through again.

        Raises:
            StoreError: the file can't be changed.
        """
        if on:
            handsoff.turn_on(self._state, who, why)
        else:
            handsoff.turn_off(self._state)

    def ground(self, device: str) -> Ground:
        """The site as it stands now, for writes to one device."""
        station = self._stations.get(device)
        return Ground(
            now=self._clock.now(),
            device=station.device if station else None,
            profile=station.profile if station else None,
            reading=self._live.reading,
            authority=self.mandate.authority if self.mandate.valid else None,
            hands_off=self.hands_off,
            settled=self.settled,
            stopping=self.stopping,
            locks=(*self._locks, *station.profile.interlocks) if station else self._locks,
        )

    def refusal(self, wish: Setpoint) -> Rejected | OutOfBounds | None:
        """What forbids this write now."""
        return judge(wish, self.ground(wish.device))

    def permit(self, wish: Setpoint) -> Permit:
        """Asked just before each telegram of a write: everything is checked once more."""

        def ask() -> None:
            refusal = self.refusal(wish)
            if refusal is not None:
                raise Withheld(refusal if isinstance(refusal, Rejected) else Rejected("out_of_bounds"))

        return ask

    def may_release(self) -> bool:
        """Whether what was set may still be given back: some time after the authority ended others write."""
        return self.settled and not self.hands_off and self.mandate.lost_s <= LONGEST_WRITE_S

    def release_permit(self) -> None:
        """The permit of giving back."""
        if not self.may_release():
            raise Withheld(Rejected("hands_off" if self.hands_off else "no_authority"))
