"""X.509 certificates: making our own, and the facts of any (OPC 10000-6, 6.2.2)."""

import socket
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:  # cryptography is slow to import: only secured links and `igoudar trust` pay for it
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

YEARS = 5
BITS = 2048  # Basic256Sha256 allows 2048 to 4096


class Facts(NamedTuple):
    """What a certificate says of itself."""

    subject: str
    uri: str  # of the application
    not_before: datetime
    not_after: datetime
    bits: int  # of its key


class Made(NamedTuple):
    """A new certificate (DER) and its key (PEM)."""

    certificate: bytes
    key: bytes


def facts(der: bytes) -> Facts:
    """The facts of a certificate.

    Raises:
        ValueError: these bytes are no certificate.
    """
    from cryptography import x509

    found = x509.load_der_x509_certificate(der)
    bits = getattr(found.public_key(), "key_size", 0)
    return Facts(
        found.subject.rfc4514_string(),
        _uri(found),
        found.not_valid_before_utc,
        found.not_valid_after_utc,
        bits,
    )


def to_der(content: bytes) -> bytes:
    """A certificate file, PEM or DER, as DER.

    Raises:
        ValueError: it is neither.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    pem = b"-----BEGIN CERTIFICATE-----" in content
    found = (x509.load_pem_x509_certificate if pem else x509.load_der_x509_certificate)(content)
    return found.public_bytes(Encoding.DER)


def self_signed(uri: str = "", name: str = "igoudar collector") -> Made:
    """A new key and a certificate signed with it, good for a client and for a server."""
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
    host = socket.gethostname()
    signed = _signed(key, uri or f"urn:{host}:igoudar:collector", name, host)
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Made(signed.public_bytes(Encoding.DER), plain)


def _signed(key: "RSAPrivateKey", uri: str, name: str, host: str) -> "x509.Certificate":
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    now = datetime.now(UTC) - timedelta(minutes=5)  # the server's clock may be a little behind
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name}@{host}"[:64])])
    uses = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
    names = [x509.UniformResourceIdentifier(uri), x509.DNSName(host)]
    builder = x509.CertificateBuilder(who, who, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + timedelta(days=365 * YEARS))
    for extension, critical in (
        (x509.SubjectAlternativeName(names), False),
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_usage(), True),
        (x509.ExtendedKeyUsage(uses), False),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
    ):
        builder = builder.add_extension(extension, critical)
    return builder.sign(key, hashes.SHA256())


def _usage() -> "x509.KeyUsage":
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=True,
        data_encipherment=True,
        key_agreement=False,
        key_cert_sign=True,  # a self-signed certificate signs itself
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _uri(certificate: "x509.Certificate") -> str:
    from cryptography import x509

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ""
    return next(iter(names.get_values_for_type(x509.UniformResourceIdentifier)), "")
