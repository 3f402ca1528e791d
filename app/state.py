"""The state folder of one site: where it is, who may use it, what the supervisor writes there."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from igoudar.core.errors import ConfigError
from igoudar.core.state_path import state_path


def state_folder(site: str, chosen: Path | None) -> Path:
    """The folder for `site`: `--state`, else IGOUDAR_STATE, else under XDG_STATE_HOME; made with mode 0700.

    Raises:
        ConfigError: when it can't be made or is not ours to write.
    """
    folder = state_path(site, chosen)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        (folder / "logs").mkdir(exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"the state folder can't be used ({error.strerror})",
            where=str(folder),
            fix="choose another with --state or IGOUDAR_STATE",
        ) from error
    return folder.resolve()


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, so that one supervisor at a time runs a site.

    Raises:
        ConfigError: when another process holds it.
    """
    with (folder / "up.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConfigError(
                "another igoudar runs this site",
                where=str(folder),
                fix="stop it first, or give this one another folder with --state",
            ) from error
        yield


def write_whole(path: Path, document: Any) -> None:
    """Write JSON so that a reader sees the old file or the new one, never a part."""
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(document, default=str, indent=1))
    part.replace(path)
