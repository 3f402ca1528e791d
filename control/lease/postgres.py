"""The lease of two hosts: one row of their PostgreSQL, with a deadline by the database's clock."""

import asyncio
import logging
import time
from collections.abc import Callable

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from igoudar.collectors.authority import LONGEST_WRITE_S
from igoudar.control.lease import LEASE_S, this_process

LOG = logging.getLogger(__name__)
RENEWALS = 4  # in one lease: some may fail
RENEW = text(
    "UPDATE writer_lease "
    "SET deadline = clock_timestamp() AT TIME ZONE 'UTC' + make_interval(secs => :lease_s) "
    "WHERE id = 1 AND holder = :holder AND epoch = :epoch RETURNING epoch"
)
TAKE = text(
    "UPDATE writer_lease AS new SET holder = :holder, epoch = GREATEST(new.epoch, :seen) + 1, "
    "deadline = clock_timestamp() AT TIME ZONE 'UTC' + make_interval(secs => :lease_s) "
    "FROM (SELECT holder FROM writer_lease WHERE id = 1 FOR UPDATE) AS old "
    "WHERE id = 1 AND deadline + make_interval(secs => :grace_s) < clock_timestamp() AT TIME ZONE 'UTC' "
    "RETURNING epoch, old.holder AS former"
)
RELEASE = text(
    "UPDATE writer_lease SET deadline = LEAST(deadline, clock_timestamp() AT TIME ZONE 'UTC') "
    "WHERE id = 1 AND holder = :holder AND epoch = :epoch"
)


class PostgresLease:
    """Held until our own monotonic deadline, reckoned from before each renewal was sent.

    The next holder waits until the database's deadline has passed and the longest write with it, so that what
    the last one had begun is over. The wall clock is looked at as well: a host that slept does not know.

    Args:
        database: The records' PostgreSQL, already migrated.
        seen: The highest epoch that this host's `collect` has obeyed.
        lease_s, grace_s: Wall; `grace_s` is the longest time that a write may take.
        holder: Who we are, HOST:NAME; this very process unless said.
    """

    def __init__(
        self,
        database: Engine,
        seen: Callable[[], int],
        lease_s: float = LEASE_S,
        grace_s: float = LONGEST_WRITE_S,
        holder: str = "",
    ) -> None:
        self._database, self._seen = database, seen
        self._lease_s, self._grace_s = lease_s, grace_s
        self._holder, self._former, self._epoch = holder or this_process(), "", 0
        self._until_s = self._wall_until_s = 0.0

    @property
    def holder(self) -> str:
        """Who we are: host and process."""
        return self._holder

    @property
    def former(self) -> str:
        """Who held it before us."""
        return self._former

    @property
    def epoch(self) -> int:
        """The number of our holding; 0 before the first."""
        return self._epoch

    def held(self) -> bool:
        """Whether we may act at this moment."""
        return self.remaining_s() > 0.0

    def remaining_s(self) -> float:
        """For how long we may act unless it is renewed; 0 when it is not ours."""
        left_s = min(self._until_s - time.monotonic(), self._wall_until_s - time.time())
        return min(max(0.0, left_s), self._lease_s)

    def deadline_s(self) -> float:
        """The same as an instant of CLOCK_MONOTONIC."""
        return time.monotonic() + self.remaining_s()

    def take(self) -> bool:
        """Renew it, or take it if its last holder's time is over; True when it is ours."""
        began_s, wall_s = time.monotonic(), time.time()
        try:
            epoch = self._asked()
        except SQLAlchemyError as error:
            LOG.warning("the lease could not be renewed: %s", error)
            return self.held()
        if epoch is None:
            self._until_s = self._wall_until_s = 0.0
        else:
            self._epoch = epoch
            self._until_s, self._wall_until_s = began_s + self._lease_s, wall_s + self._lease_s
        return self.held()

    async def keep(self) -> None:
        """Renew or take it, again and again, until cancelled."""
        while True:
            await asyncio.to_thread(self.take)
            await asyncio.sleep(self._lease_s / RENEWALS)

    def close(self) -> None:
        """Give it back; the next holder still waits for writes on their way."""
        ours = self.held()
        self._until_s = self._wall_until_s = 0.0
        if not ours:
            return
        try:
            with self._database.begin() as connection:
                connection.execute(RELEASE, {"holder": self._holder, "epoch": self._epoch})
        except SQLAlchemyError as error:
            LOG.warning("the lease could not be given back: %s", error)

    def _asked(self) -> int | None:
        """Our epoch as the database has it, None when another holds the lease."""
        ours = {"holder": self._holder, "epoch": self._epoch, "lease_s": self._lease_s}
        with self._database.begin() as connection:
            epoch = connection.execute(RENEW, ours).scalar()
            if epoch is None:
                new = ours | {"seen": self._seen(), "grace_s": self._grace_s}
                taken = connection.execute(TAKE, new).one_or_none()
                if taken is not None:
                    epoch, self._former = taken
        return None if epoch is None else int(epoch)
