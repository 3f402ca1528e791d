"""Before the first write: is the server there, which one is it, is the bucket ours to write?

2.x: the bucket, its retention and the mapping that InfluxQL needs are made where they are missing.
1.x and 3.x: the operator creates the database, and here it is only looked for.
"""

import logging
from dataclasses import dataclass

import httpx

from igoudar.core.errors import StoreBusyError, StoreError
from igoudar.core.store.influx_http import InfluxHttp
from igoudar.core.store.influx_place import InfluxPlace

log = logging.getLogger(__name__)

_MAKES_BUCKETS = 2
_OK, _CREATED, _BAD, _FORBIDDEN = 200, 201, 400, (401, 403)
_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Health:
    """Which server answers."""

    version: str

    @property
    def major(self) -> int:
        """1, 2 or 3; 0 when the server does not say."""
        digits = self.version.lstrip("v").split(".")[0]
        return int(digits) if digits.isdecimal() else 0


def health(http: InfluxHttp) -> Health:
    """The server's version.

    Raises:
        StoreBusyError: it does not answer, or says that it is not well.
    """
    answer = http.request("GET", "/ping")
    if answer.status_code >= _BAD and answer.status_code not in _FORBIDDEN:
        raise http.problem(answer)
    return Health(answer.headers.get("X-Influxdb-Version", ""))


def prepare(place: InfluxPlace) -> Health:
    """Make sure that `place` can be written and read.

    Raises:
        StoreBusyError: not now, and why; nothing here is final, for the operator can put all of it right.
    """
    http = InfluxHttp(place, _TIMEOUT_S)
    try:
        found = health(http)
        if found.major == _MAKES_BUCKETS:
            _bucket(http, place)
        else:
            _database(http, place)
        _may_write(http, place)
    finally:
        http.close()
    log.info("samples go to InfluxDB %s, bucket %s at %s", found.version or "?", place.bucket, place.url)
    return found


def _database(http: InfluxHttp, place: InfluxPlace) -> None:
    try:
        shown = {cell for series in http.series("SHOW DATABASES") for row in series["values"] for cell in row}
    except StoreBusyError:
        raise
    except StoreError as error:
        log.info("databases are not shown to this token (%s)", error.what)
        return
    if place.bucket not in shown:
        fix = "create it with its retention: `influxdb3 create database`, on 1.x `CREATE DATABASE`"
        raise StoreBusyError(f"there is no database {place.bucket!r}", where=place.url, fix=fix)


def _may_write(http: InfluxHttp, place: InfluxPlace) -> None:
    answer = _write_nothing(http, place)
    if answer.status_code > _BAD:
        raise http.problem(answer)


def _write_nothing(http: InfluxHttp, place: InfluxPlace) -> httpx.Response:
    """Whether the token may write is answered before whether there is anything to write."""
    parameters = {"org": place.org, "bucket": place.bucket, "precision": place.precision}
    return http.request("POST", "/api/v2/write", params=parameters, content=b"")


def _bucket(http: InfluxHttp, place: InfluxPlace) -> None:
    """A token that is not shown the bucket may still write it: then an operator prepared it."""
    answer = http.request("GET", "/api/v2/buckets", params={"org": place.org, "name": place.bucket})
    found = answer.json().get("buckets", []) if answer.status_code == _OK else []
    if found:
        _retention(http, place, found[0])
        _mapping(http, place, found[0]["id"], found[0]["orgID"])
        _warn_of_a_wide_token(http, place)
    elif _write_nothing(http, place).status_code > _BAD:
        _create(http, place)


def _rules(place: InfluxPlace) -> list[dict[str, object]]:
    return [{"type": "expire", "everySeconds": place.retention_s}] if place.retention_s else []


def _create(http: InfluxHttp, place: InfluxPlace) -> None:
    answer = http.request("GET", "/api/v2/orgs", params={"org": place.org})
    orgs = answer.json().get("orgs", []) if answer.status_code == _OK else []
    if not orgs:
        fix = "create the bucket, or let the token see the organisation"
        raise StoreBusyError(
            f"there is no bucket {place.bucket!r}", where=f"{place.url} {place.org}", fix=fix
        )
    body = {"orgID": orgs[0]["id"], "name": place.bucket, "retentionRules": _rules(place)}
    answer = http.request("POST", "/api/v2/buckets", json=body)
    if answer.status_code != _CREATED:
        raise http.problem(answer)
    log.info("made the bucket %s", place.bucket)
    _mapping(http, place, answer.json()["id"], orgs[0]["id"])


def _retention(http: InfluxHttp, place: InfluxPlace, bucket: dict[str, object]) -> None:
    kept_s = [rule.get("everySeconds", 0) for rule in bucket.get("retentionRules") or ()]  # type: ignore[attr-defined]
    if not place.retention_s or kept_s == [place.retention_s]:
        return
    path = f"/api/v2/buckets/{bucket['id']}"
    answer = http.request("PATCH", path, json={"retentionRules": _rules(place)})
    if answer.status_code != _OK:
        log.warning("the retention of bucket %s stays as it is: %s", place.bucket, http.problem(answer).what)


def _mapping(http: InfluxHttp, place: InfluxPlace, bucket_id: str, org_id: str) -> None:
    """InfluxQL finds a bucket by database name; newer 2.x map it of themselves, older do not."""
    answer = http.request("GET", "/api/v2/dbrps", params={"orgID": org_id, "db": place.bucket})
    if answer.status_code == _OK and answer.json().get("content"):
        return
    body = {
        "orgID": org_id,
        "bucketID": bucket_id,
        "database": place.bucket,
        "retention_policy": "autogen",
        "default": True,
    }
    answer = http.request("POST", "/api/v2/dbrps", json=body)
    if answer.status_code != _CREATED:
        log.warning("bucket %s has no InfluxQL mapping: %s", place.bucket, http.problem(answer).what)


def _warn_of_a_wide_token(http: InfluxHttp, place: InfluxPlace) -> None:
    answer = http.request("GET", "/api/v2/buckets", params={"limit": 100})
    shown = answer.json().get("buckets", []) if answer.status_code == _OK else []
    if others := [one["name"] for one in shown if one["name"] != place.bucket]:
        log.warning("the token of %s sees %s too: give it only its bucket", place.bucket, others[0])
