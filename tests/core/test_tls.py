"""Whoever speaks TLS builds its context here; a key that wants a passphrase is refused, not asked for."""

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from tests.peers.authority import Authority

from igoudar.control.actuation.cap_client import CapClient
from igoudar.control.api.server import check_public
from igoudar.control.dsx.broker import Broker
from igoudar.control.dsx.flex import Flex
from igoudar.core.errors import ConfigError
from igoudar.core.model import TlsFiles
from igoudar.core.model_caps import Capping
from igoudar.core.model_dsx import Dsx
from igoudar.core.model_people import Listening
from igoudar.core.tls import client_context, server_context

TLS_1_3 = ssl.TLSVersion.TLSv1_3


def locked(key: Path) -> Path:
    """The same key behind a passphrase."""
    private = serialization.load_pem_private_key(key.read_bytes(), None)
    path = key.with_suffix(".locked")
    path.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    return path


def _cap_client(ca: str, certificate: str, key: str) -> object:
    return CapClient(Capping(ca=ca, certificate=certificate, key=key))._http


def _broker(ca: str, certificate: str, key: str) -> object:
    dsx = Dsx(host="127.0.0.1", ca=ca, certificate=certificate, key=key)
    return Broker(dsx, Flex.__new__(Flex)).check()


def _api(ca: str, certificate: str, key: str) -> object:
    return check_public(Listening(certificate=certificate, key=key), named_people=True)


@pytest.mark.parametrize(
    ("build", "where"),
    [
        (lambda ca, pem, key: client_context(TlsFiles(ca, pem, key), "links.tls"), "links.tls"),
        (lambda ca, pem, key: server_context(pem, key, "cap-agent", ca), "cap-agent"),
        (_cap_client, "caps"),
        (_broker, "dsx"),
        (_api, "api"),
    ],
)
def test_a_key_behind_a_passphrase_is_refused_and_nobody_is_asked(
    tmp_path: Path, build: Callable[[str, str, str], object], where: str
) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.issue("me")
    with pytest.raises(ConfigError, match="passphrase") as refused:
        build(str(authority.ca), str(certificate), str(locked(key)))
    assert refused.value.where == f"{where}: {tmp_path / 'me.locked'}"
    assert "openssl pkey" in refused.value.fix


@pytest.mark.parametrize("missing", ["ca", "certificate", "key"])
def test_a_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.issue("me")
    names = {"ca": str(authority.ca), "certificate": str(certificate), "key": str(key)}
    with pytest.raises(ConfigError, match=r"links\.tls: /nowhere\.pem"):
        client_context(TlsFiles(**(names | {missing: "/nowhere.pem"})), "links.tls")


def test_a_key_of_another_certificate_is_not_accepted(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    (certificate, _), (_, other) = authority.issue("me"), authority.issue("other")
    with pytest.raises(ConfigError, match="can't be used"):
        client_context(TlsFiles(str(authority.ca), str(certificate), str(other)), "links.tls")


async def test_both_sides_show_who_they_are_and_a_stranger_hears_nothing(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    server = server_context(*authority.issue("server"), "s", authority.ca, TLS_1_3)
    pem, key = map(str, authority.issue("client"))
    assert await said(server, client_context(TlsFiles(str(authority.ca), pem, key), "c")) == b"hello"
    assert await said(server, client_context(TlsFiles(str(authority.ca)), "c")) == b""
    old = client_context(TlsFiles(str(authority.ca), pem, key), "c")
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    assert await said(server, old) == b""
    with pytest.raises(ssl.SSLCertVerificationError):
        await said(server, client_context(TlsFiles(), "c"))  # the system's authorities do not know it


async def said(server: ssl.SSLContext, client: ssl.SSLContext) -> bytes:
    """What a server of the one context says to a client of the other; nothing when it is turned away."""

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0, ssl=server) as listening:
        port = listening.sockets[0].getsockname()[1]
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client)
            heard = await asyncio.wait_for(reader.read(), 10)
        except ssl.SSLCertVerificationError:
            raise
        except OSError:
            return b""
        writer.close()
        return heard
