"""The records of a PostgreSQL as a file, by the database's own `pg_dump`."""

import os
import shutil
import subprocess
from pathlib import Path

from sqlalchemy import URL

from igoudar.control.records.engine import address, place_of
from igoudar.core.errors import StoreError

PROGRAM = "pg_dump"
LONGEST_S = 3600.0
SPECIAL = str.maketrans({"\\": "\\\\", ":": "\\:"})  # in a file of passwords


def installed() -> bool:
    """Whether there is a `pg_dump`."""
    return shutil.which(PROGRAM) is not None


def export(url_file: Path, scratch: Path, target: Path) -> None:
    """Write the database that `url_file` names to `target`, in pg_dump's own format.

    The password goes from file to file: neither the command line nor the environment holds it.

    Raises:
        ConfigError: the file can't be used.
        StoreError: pg_dump is not there, says no, or would be given a secret on its command line.
    """
    url = address(url_file)
    if "sslpassword" in url.query:
        raise _refused(url, "pg_dump takes a key's passphrase on its command line only, where others read it")
    passwords = scratch / "pgpass"
    _write_password(passwords, url)
    bare = _without_password(url).render_as_string()
    command = [shutil.which(PROGRAM) or PROGRAM, "--format=custom", "--no-password", "--no-owner"]
    try:
        done = subprocess.run(  # noqa: S603 - a program of PostgreSQL's, by its path, without a shell
            [*command, f"--file={target}", f"--dbname={bare}"],
            env={**os.environ, "PGPASSFILE": str(passwords), "PGCONNECT_TIMEOUT": "10"},
            capture_output=True,
            text=True,
            timeout=LONGEST_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _refused(url, str(error)) from error
    finally:
        passwords.unlink(missing_ok=True)
    if done.returncode != 0:
        raise _refused(url, (done.stderr.strip().splitlines() or ["no reason given"])[-1])


def _write_password(path: Path, url: URL) -> None:
    host, port = url.host or "localhost", url.port or 5432
    password = url.password or url.query.get("password") or ""
    words = (host, str(port), url.database or "", url.username or "", str(password))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(":".join(word.translate(SPECIAL) for word in words) + "\n")


def _without_password(url: URL) -> URL:
    query = url.difference_update_query(["password"]).query
    return URL.create(url.drivername, url.username, None, url.host, url.port, url.database, query)


def _refused(url: URL, why: str) -> StoreError:
    fix = "pg_dump must be as new as the server; or back the database up with its own tools"
    return StoreError(f"the records could not be exported ({why})", where=place_of(url), fix=fix)
