"""Beyond this host: only with TLS, and only with people who can prove who they are."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.peers.authority import Authority

from igoudar.collectors.profiles import load_profiles
from igoudar.control import service
from igoudar.control.api.server import check_public
from igoudar.control.client import ApiClient
from igoudar.control.people.roles import Role
from igoudar.control.people.users import Users
from igoudar.control.records.state import Records
from igoudar.core.errors import ConfigError, LinkError
from igoudar.core.model_people import Listening
from igoudar.core.site import load_site, locate_site

EVERYWHERE = "0.0.0.0"  # noqa: S104 - that is what must be refused


@pytest.fixture
def tls(tmp_path: Path) -> Listening:
    folder = tmp_path / "tls"
    folder.mkdir()
    certificate, key = Authority(folder).issue("control")
    return Listening(certificate=str(certificate), key=str(key))


@asynccontextmanager
async def serving(state: Path, plant: Any, lab: Any, listening: Listening) -> AsyncIterator[str]:
    found: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    site = replace(lab.site, api=listening)
    part = service.run(
        site, lab.profiles, plant.clock, state, api_port=0, mode="observe", ready=found.set_result
    )
    task = asyncio.create_task(part)
    await asyncio.wait((task, found), return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        await task
    try:
        yield found.result()
    finally:
        task.cancel()
        await asyncio.wait((task,))


async def test_it_speaks_tls_and_nothing_else_where_it_has_a_certificate(
    state: Path, plant: Any, lab: Any, tls: Listening
) -> None:
    async with serving(state, plant, lab, tls) as url:
        assert url.startswith("https://127.0.0.1:")

        def call() -> str:
            with ApiClient.of_state(state) as api:
                return api.whoami().name

        assert await asyncio.to_thread(call) == "operator"
        async with httpx.AsyncClient() as plain:
            with pytest.raises(httpx.TransportError):
                await plain.get(url.replace("https", "http") + "/health")
        async with httpx.AsyncClient(verify=ssl.create_default_context()) as stranger:
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await stranger.get(f"{url}/health")


async def test_other_hosts_are_served_with_tls_and_named_people_only(
    state: Path, plant: Any, lab: Any, tls: Listening
) -> None:
    public = replace(tls, bind=EVERYWHERE)
    with pytest.raises(ConfigError, match="no TLS"):
        async with serving(state, plant, lab, Listening(bind=EVERYWHERE)):
            pass
    with pytest.raises(ConfigError, match="prove who they are"):
        async with serving(state, plant, lab, public):
            pass
    records = Records.open(state / "state.sqlite")
    token = Users(records).add("ada", Role.VIEWER, "local:root", datetime(2026, 3, 1, tzinfo=UTC))
    records.close()
    async with serving(state, plant, lab, public) as url:
        with ApiClient(url, token, Path(tls.certificate)) as api:
            assert (await asyncio.to_thread(api.whoami)).name == "ada"


def test_a_certificate_that_can_t_be_used_is_said_before_anything_starts(tls: Listening) -> None:
    check_public(tls, named_people=False)
    with pytest.raises(ConfigError, match="can't be used"):
        check_public(replace(tls, certificate="/nowhere.pem"), named_people=True)
    with pytest.raises(ConfigError, match="can't be used"):
        check_public(replace(tls, key=tls.certificate), named_people=True)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('bind = "0.0.0.0"', "no TLS"),
        ('bind = "192.0.2.7"', "no TLS"),
        ('bind = "::"', "no TLS"),
        ('certificate = "/a.pem"', "a certificate needs its key"),
        ('key = "/a.key"', "a certificate needs its key"),
        ('bind = "127.0.0.2"', None),
        ('bind = "localhost"', None),
        ('bind = "0.0.0.0"\ncertificate = "/a.pem"\nkey = "/a.key"', None),
    ],
)
def test_a_site_file_says_it_early(tmp_path: Path, table: str, said: str | None) -> None:
    with locate_site("jazari-lab") as seed:
        (tmp_path / "lab.toml").write_text(f"{seed.read_text()}\n[api]\n{table}\n")
    if said is None:
        load_site(str(tmp_path / "lab.toml"), load_profiles())
        return
    with pytest.raises(ConfigError, match=said):
        load_site(str(tmp_path / "lab.toml"), load_profiles())


def test_a_client_says_which_certificates_it_can_t_use(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("x")
    document = {"schema": 1, "url": "https://127.0.0.1:9", "certificate": str(tmp_path / "none.pem")}
    (tmp_path / "api.json").write_text(json.dumps(document))
    with pytest.raises(ConfigError, match=r"none\.pem"):
        ApiClient.of_state(tmp_path)
    with ApiClient("https://127.0.0.1:9", "x") as api, pytest.raises(LinkError, match="does not answer"):
        api.whoami()
