"""Whose certificate it is: the names in it, of which one has to be pinned; pure."""

from collections.abc import Iterator, Mapping
from typing import Any


def names(certificate: Mapping[str, Any]) -> frozenset[str]:
    """Common name, DNS names and URIs of a certificate as `ssl` shows it."""
    return frozenset(_names(certificate))


def _names(certificate: Mapping[str, Any]) -> Iterator[str]:
    for part in certificate.get("subject", ()):
        for key, value in part:
            if key == "commonName":
                yield str(value)
    for key, value in certificate.get("subjectAltName", ()):
        if key in ("DNS", "URI"):
            yield str(value)
