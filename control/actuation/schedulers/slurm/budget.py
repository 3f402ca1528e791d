"""The moving power budget: a reservation takes watts of a licence away, and ends by itself.

Jobs ask for their watts (`-L watts:700`); what is reserved, none that starts can have. Running jobs keep
theirs. A reservation lasts a quarter of an hour at most and is renewed while somebody still asks for it.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from igoudar.control.actuation.schedulers import RefusedError
from igoudar.control.actuation.schedulers.slurm import verbs
from igoudar.control.actuation.schedulers.slurm.lines import pairs
from igoudar.control.actuation.schedulers.slurm.program import Programs
from igoudar.core.errors import CommandError, LinkError

LONGEST = timedelta(minutes=15)
RENEW = timedelta(minutes=5)  # before its end, at the latest
SHORTEST = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Reserved:
    """What is taken away at present."""

    watts: int
    until: datetime  # wall time


@dataclass(frozen=True, slots=True)
class Standing:
    """What there is, and what of it we have taken away."""

    total_watts: int
    reserved: Reserved | None


@dataclass(slots=True)
class WattBudget:
    """The budget of one licence; `user` is whom the reservation belongs to. Times are wall times."""

    programs: Programs
    licence: str
    user: str

    async def look(self) -> Standing:
        """How it stands now; both questions at the same time.

        Raises:
            RefusedError: no such licence.
            LinkError, CommandError: as Slurm answers.
        """
        total, reserved = await asyncio.gather(self.total_watts(), self.reserved())
        return Standing(total, reserved)

    async def set(self, watts: float, until: datetime, now: datetime, seen: Standing) -> datetime:
        """Leave `watts` to the jobs that start; until when that holds.

        Raises:
            RefusedError: the time is past.
            LinkError, CommandError: as Slurm answers.
        """
        end = min(until, now + LONGEST)
        if end < now + SHORTEST:
            raise RefusedError("expired", "a budget must hold for a minute at least", where=self.licence)
        taken, present = max(0, seen.total_watts - max(0, int(watts))), seen.reserved
        if taken == 0:
            await self._drop(present)
            return end
        if present and present.watts == taken and now + RENEW < present.until <= until:
            return present.until
        await self.programs.run(
            verbs.renew(self.licence, taken, end)
            if present
            else verbs.reserve(self.licence, taken, end, self.user)
        )
        return end

    async def clear(self) -> None:
        """Give all watts back."""
        await self._drop(await self.reserved())

    async def total_watts(self) -> int:
        """All there are.

        Raises:
            RefusedError: Slurm has no such licence.
        """
        for line in pairs(await self.programs.run(verbs.LICENCES)):
            if line.get("LicenseName") == self.licence and line.get("Total", "").isdecimal():
                return int(line["Total"])
        fix = f"add Licenses={self.licence}:N to slurm.conf, one for each watt"
        raise RefusedError("no_budget", f"Slurm has no licence {self.licence!r}", where="slurm", fix=fix)

    async def reserved(self) -> Reserved | None:
        """What we have taken away, None where nothing is."""
        try:
            said = pairs(await self.programs.run(verbs.RESERVED))
        except CommandError as error:
            if "not found" in error.what:
                return None
            raise
        return _reserved(said[0], self.licence) if said else None

    async def _drop(self, present: Reserved | None) -> None:
        if present is not None:
            await self.programs.run(verbs.UNRESERVE)


def _reserved(line: dict[str, str], licence: str) -> Reserved:
    name, _, watts = line.get("Licenses", "").partition(":")
    try:
        until = datetime.fromisoformat(line["EndTime"]).replace(tzinfo=UTC)
        return Reserved(int(watts) if name == licence else 0, until)
    except (KeyError, ValueError) as error:
        raise LinkError(f"a reservation that can't be read ({error})", where=verbs.RESERVATION) from error
