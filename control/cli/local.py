"""The records of a site on this very host, for commands that must work with control dead."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from igoudar.core.errors import ConfigError
from igoudar.core.state_path import state_path

if TYPE_CHECKING:
    from igoudar.control.records.state import Records


@contextmanager
def records_of(site: str, state: Path | None) -> Iterator["Records"]:
    """Open the records of a site, which has run before.

    Raises:
        ConfigError: nothing was ever started there.
        StoreError: they can't be used.
    """
    from igoudar.collectors.profiles import load_profiles
    from igoudar.control.records.opening import open_records
    from igoudar.core.model_people import Auditing
    from igoudar.core.site import load_site

    try:
        plan = load_site(site, load_profiles())
        rules, folder = plan.audit, state_path(plan.name, state)
    except ConfigError:
        if state is None:
            raise
        rules, folder = Auditing(), state  # a site file that is broken just now must not hide the audit
    if not folder.is_dir():
        fix = "start the site once, or give its --state"
        raise ConfigError("there is no such state folder", where=str(folder), fix=fix)
    records = open_records(rules, folder)
    try:
        yield records
    finally:
        records.close()


def myself() -> str:
    """How a person at this host's shell is named in the audit."""
    try:
        return f"local:{getpass.getuser()}"
    except (OSError, KeyError):  # a container without a name for its user
        return "local:unknown"
