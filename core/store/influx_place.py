"""Where an InfluxDB is, and what opens it."""

import stat
from dataclasses import dataclass
from pathlib import Path

from igoudar.core.errors import ConfigError
from igoudar.core.model import Kind, Site, StoreChoice


@dataclass(frozen=True, slots=True)
class Origin:
    """What a device's samples are filed under."""

    kind: Kind
    hall: str = ""


@dataclass(frozen=True, slots=True)
class InfluxPlace:
    """One bucket of one server, as one of our processes sees it.

    `token_file` belongs to this process: the collector's token writes, the API's only reads.
    """

    url: str
    bucket: str
    token_file: Path
    site: str
    origins: dict[str, Origin]  # device -> what its samples are filed under
    org: str = ""
    precision: str = "us"  # ns | us | ms: of the times stored
    retention_s: int = 0  # 0 = for ever

    def token(self) -> str:
        """The token as it stands in its file now, so that a new one is taken without a restart.

        Raises:
            ConfigError: the file is missing, open to others, or empty.
        """
        where = str(self.token_file)
        try:
            mode, text = self.token_file.stat().st_mode, self.token_file.read_text(encoding="ascii").strip()
        except OSError as error:
            what = f"the InfluxDB token can't be read ({error.strerror})"
            raise ConfigError(what, where=where, fix="write the token there, mode 0600") from error
        except UnicodeDecodeError as error:
            raise ConfigError("is not an InfluxDB token", where=where, fix="write the token alone") from error
        if stat.S_IMODE(mode) & 0o077:
            what = "the InfluxDB token is open to other users"
            raise ConfigError(what, where=where, fix=f"chmod 600 {where}")
        if not text or not text.isprintable():
            raise ConfigError("is not an InfluxDB token", where=where, fix="write the token alone, one line")
        return text


def influx_place(site: Site, choice: StoreChoice, *, reading_only: bool = False) -> InfluxPlace:
    """The place that a site's `[store]` names.

    Raises:
        ConfigError: a name that line protocol can't carry, or a token file that can't be used.
    """
    token_file = (choice.read_token_file if reading_only else "") or choice.token_file
    place = InfluxPlace(
        url=choice.url,
        bucket=choice.bucket,
        token_file=Path(token_file).expanduser(),
        site=site.name,
        origins={device.name: Origin(device.kind, device.hall) for device in site.devices},
        org=choice.org,
        precision=choice.precision,
        retention_s=choice.retention_s,
    )
    _check_names(place)
    place.token()
    return place


def _check_names(place: InfluxPlace) -> None:
    halls = {origin.hall for origin in place.origins.values()}
    for name in (place.site, *halls, *place.origins):
        if "\\" in name or any(character < " " for character in name):
            fix = "leave backslashes and control characters out of its name"
            raise ConfigError(f"InfluxDB's line protocol can't carry the name {name!r}", fix=fix)
