"""Devices as data: one TOML file per product, read into `core.model.Profile`."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from igoudar.collectors.profiles.parse import parse_profile
from igoudar.core.errors import ConfigError
from igoudar.core.model import Profile
from igoudar.core.strict_toml import read_toml

BUNDLED = Path(__file__).parent


def load_profile(path: Path) -> Profile:
    """Read one profile file.

    Raises:
        ConfigError: names the file, the key and what to do.
    """
    document = read_toml(path)
    try:
        return parse_profile(document, path.name)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"holds a value of the wrong type ({error})", where=str(path)) from error


def load_profiles(extra: Path | None = None) -> Mapping[str, Profile]:
    """All bundled profiles, and those of the folder `extra`, which may replace bundled ones; by name.

    Raises:
        ConfigError: a file that can't be used, or two files of one folder with one name.
    """
    return {**_folder(BUNDLED), **(_read(extra) if extra else {})}


@cache
def _folder(folder: Path) -> Mapping[str, Profile]:
    return _read(folder)


def _read(folder: Path) -> Mapping[str, Profile]:
    profiles: dict[str, Profile] = {}
    for path in sorted(folder.glob("*.toml")):
        profile = load_profile(path)
        if profile.name in profiles:
            raise ConfigError(f"profile {profile.name!r} is there twice", where=str(path), fix="rename one")
        profiles[profile.name] = profile
    return profiles
