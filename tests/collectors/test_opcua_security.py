"""Encrypted OPC UA: whom we trust, what we show, what never leaves in the clear."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from asyncua import ua
from asyncua.crypto.permission_rules import User, UserRole

from igoudar.collectors import opcua
from igoudar.collectors.certificates import self_signed
from igoudar.collectors.faults import LinkFault
from igoudar.collectors.opcua_door import Door, Doors
from igoudar.collectors.trust import TrustStore, fingerprint_of
from igoudar.core.errors import ConfigError
from igoudar.core.model import OpcUaServer, Reason

from .opcua_rig import START, Rig, reads, session_to
from .rigs import until

pytestmark = pytest.mark.asyncio(loop_scope="module")
SERVER = self_signed("urn:test:server", "turbine server")
PASSWORD = "correct horse"  # noqa: S105 - of a server that lives as long as these tests


class Gatekeeper:
    """Knows one user, and what it was told."""

    def __init__(self) -> None:
        self.seen: list[tuple[str | None, str | None]] = []

    def get_user(
        self, iserver: object, username: str | None = None, password: str | None = None, **_: object
    ):
        self.seen.append((username, password))
        return User(role=UserRole.User) if username is None or password == PASSWORD else None


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rig() -> AsyncIterator[Rig]:
    async with Rig(secure=SERVER) as rig:
        yield rig


@pytest.fixture
def store(tmp_path: Path) -> TrustStore:
    return TrustStore(tmp_path / "pki")


def door(rig: Rig, store: TrustStore, **said: str) -> Door:
    return Door(rig.url, OpcUaServer(rig.url, **said), store)


async def test_line_32_an_unknown_certificate_is_turned_away_until_a_person_trusts_it(
    rig: Rig, store: TrustStore
) -> None:
    async with session_to(rig, door(rig, store)) as (_, reader):
        with pytest.raises(LinkFault) as caught:
            await reader.read(slow=False)
        fingerprint = fingerprint_of(SERVER.certificate)
        assert caught.value.reason is Reason.NO_CONNECTION
        assert fingerprint in caught.value.what
        assert "igoudar trust add" in caught.value.fix
        assert rig.sessions == 0
        rejected = store.find(fingerprint[:8])
        assert (rejected.state, rejected.server) == ("rejected", rig.url)
        store.trust(store.content(rejected))
        await reads(reader, "active_power_w", START)
        assert store.find(fingerprint).state == "trusted"


async def test_line_32_the_wire_is_signed_and_encrypted(rig: Rig, store: TrustStore) -> None:
    store.trust(SERVER.certificate)
    way = door(rig, store)
    async with way.opened() as client:
        assert client.security_policy.Mode == ua.MessageSecurityMode.SignAndEncrypt
        assert client.security_policy.URI.endswith("#Basic256Sha256")


async def test_line_32_trust_taken_back_ends_an_open_session(
    rig: Rig, store: TrustStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opcua, "TRUST_S", 0.05)
    store.trust(SERVER.certificate)
    async with session_to(rig, door(rig, store)) as (session, reader):
        await reads(reader, "active_power_w", START)
        store.remove(fingerprint_of(SERVER.certificate))
        await until(lambda: session.fault is not None)
        await until(lambda: rig.sessions == 0)


async def test_line_32_a_server_without_encryption_is_not_spoken_to_in_the_clear(store: TrustStore) -> None:
    async with Rig() as plain:
        async with session_to(plain, door(plain, store)) as (_, reader):
            with pytest.raises(LinkFault, match="no SignAndEncrypt") as caught:
                await reader.read(slow=False)
            assert "[[links.opcua]]" in caught.value.fix
        said = {"security": "none", "reason": "a test"}
        async with session_to(plain, door(plain, store, **said)) as (_, reader):
            await reads(reader, "active_power_w", START)


@pytest.mark.parametrize(
    ("url", "said", "secured"),
    [
        ("opc.tcp://10.0.0.5:4840", None, True),
        ("opc.tcp://plant.example:4840", None, True),
        ("opc.tcp://10.0.0.5:4840", "none", False),
        ("opc.tcp://127.0.0.1:4840", None, False),
        ("opc.tcp://localhost:4840", None, False),
        ("opc.tcp://[::1]:4840", None, False),
        ("opc.tcp://127.0.0.1:4840", "sign-and-encrypt", True),
    ],
)
async def test_line_32_encryption_is_the_default_and_none_an_exception_by_name(
    url: str, said: str | None, secured: bool, tmp_path: Path
) -> None:
    servers = [OpcUaServer(url, said, "why")] if said else []
    assert Doors(servers, tmp_path).to(url).secured is secured
    if secured:
        with pytest.raises(ConfigError, match="certificate store"):
            Doors(servers).to(url)


async def test_user_and_password_come_from_files(rig: Rig, store: TrustStore, tmp_path: Path) -> None:
    store.trust(SERVER.certificate)
    gate = rig.server.iserver.user_manager = Gatekeeper()
    files = {"user_file": tmp_path / "user", "password_file": tmp_path / "password"}
    for file, text in zip(files.values(), ("operator", PASSWORD), strict=True):
        file.write_text(text + "\n")
        file.chmod(0o600)
    said = {key: str(file) for key, file in files.items()}
    async with session_to(rig, door(rig, store, **said)) as (_, reader):
        await reads(reader, "active_power_w", START)
        assert gate.seen[-1] == ("operator", PASSWORD)
    files["password_file"].write_text("wrong")
    async with session_to(rig, door(rig, store, **said)) as (_, reader):
        with pytest.raises(LinkFault, match="does not allow this user") as caught:
            await reader.read(slow=False)
        assert "wrong" not in str(caught.value)
    files["password_file"].chmod(0o644)
    async with session_to(rig, door(rig, store, **said)) as (_, reader):
        with pytest.raises(LinkFault, match="everybody can read"):
            await reader.read(slow=False)


async def test_our_own_key_is_made_once_and_is_ours_alone(store: TrustStore, tmp_path: Path) -> None:
    first = store.own()
    assert first.key.stat().st_mode & 0o777 == 0o600
    assert first.key.parent.stat().st_mode & 0o777 == 0o700
    assert store.own() == first
    assert first.facts.bits == 2048
    first.certificate.write_bytes(b"no certificate")
    with pytest.raises(ConfigError, match="our certificate can't be used"):
        store.own()
    assert [room.name for room in (tmp_path / "pki").iterdir()] == ["own"]


async def test_an_expired_certificate_is_refused_though_it_is_trusted(
    store: TrustStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    from igoudar.collectors import trust

    store.trust(SERVER.certificate)
    store.check(SERVER.certificate, "x")
    known = trust.facts(SERVER.certificate)
    monkeypatch.setattr(trust, "facts", lambda _: known._replace(not_after=known.not_before))
    with pytest.raises(LinkFault, match="expired"):
        store.check(SERVER.certificate, "x")


async def test_a_flood_of_certificates_does_not_fill_the_disk(
    store: TrustStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from igoudar.collectors import trust

    monkeypatch.setattr(trust, "MOST_REJECTED", 5)
    for number in range(20):
        with pytest.raises(LinkFault):
            store.check(bytes([number]) * 100, "opc.tcp://evil:4840")
    assert len(list((tmp_path / "pki" / "rejected").iterdir())) == 10
    assert store.listed() == []
