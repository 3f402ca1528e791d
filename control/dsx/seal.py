"""Signatures of messages: JWS with pinned keys and pinned algorithms. Source: RFC 7515, RFC 8725."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from igoudar.control.dsx.refusal import RefusedError
from igoudar.core.errors import ConfigError

LARGEST = 16 * 1024


class Seal:
    """Opens what the pinned keys have sealed.

    Args:
        keys: Whose signatures are believed.
        algorithms: By which; never "none", and no shared secrets (core/control_tables/people.py).
    """

    def __init__(self, keys: KeySet, algorithms: Sequence[str]) -> None:
        self._keys = keys
        # Words of a header that are not known are passed over, as RFC 7515 wants; "crit" still counts.
        self._registry = JWSRegistry(algorithms=list(algorithms), strict_check_header=False)

    @classmethod
    def of_file(cls, path: str, algorithms: Sequence[str]) -> "Seal":
        """With the keys of a JWKS file.

        Raises:
            ConfigError: it can't be read, or holds no key.
        """
        return cls(key_set(path), algorithms)

    def opened(self, token: object) -> "Opened":
        """What a compact JWS carries.

        Raises:
            RefusedError: it is not signed by a pinned key with a pinned algorithm, or carries no object.
        """
        if not isinstance(token, str) or token.count(".") != 2 or len(token) > LARGEST:
            raise RefusedError("not_signed", "the payload is no compact JWS")
        try:
            sealed = jws.deserialize_compact(token, self._keys, registry=self._registry)
            payload = json.loads(sealed.payload)
        except (JoseError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise RefusedError(
                "bad_signature", f"the signature does not hold ({type(error).__name__})"
            ) from error
        if not isinstance(payload, dict):
            raise RefusedError("malformed", "the signed payload is no object")
        return Opened(payload, sealed.headers(), hashlib.sha256(token.encode()).hexdigest())


@dataclass(frozen=True, slots=True)
class Opened:
    """A payload whose signature holds; `digest` tells one token from another."""

    payload: Mapping[str, Any]
    header: Mapping[str, Any]
    digest: str

    def belongs(self, event_id: str, at: datetime) -> bool:
        """Whether the signature covers the envelope too: `jti` is its id, and `iat`, if given, its time.

        Raises:
            RefusedError: it covers another envelope than the one that it came in.
        """
        if "jti" not in self.header:
            return False
        made_s = self.header.get("iat", int(at.timestamp()))
        if self.header["jti"] != event_id or made_s != int(at.timestamp()):
            raise RefusedError("bad_signature", "the signature was made for another message")
        return True


class Signer:
    """Seals what we publish, with the first key of a private JWKS."""

    def __init__(self, keys: KeySet, algorithms: Sequence[str]) -> None:
        self._key, self._algorithms = keys.keys[0], list(algorithms)

    @classmethod
    def of_file(cls, path: str, algorithms: Sequence[str]) -> "Signer":
        """With the key of a JWKS file.

        Raises:
            ConfigError: it can't be read, or the key can't sign.
        """
        keys = key_set(path)
        if not keys.keys[0].is_private:
            raise ConfigError("a private key is needed to sign", where=path, fix="give a JWKS with it")
        return cls(keys, algorithms)

    def sealed(self, payload: Mapping[str, Any]) -> str:
        """A compact JWS of `payload`."""
        header = {"alg": _algorithm(self._key.key_type, self._algorithms), "kid": self._key.kid or ""}
        text = json.dumps(payload, separators=(",", ":")).encode()
        return jws.serialize_compact(header, text, self._key, algorithms=self._algorithms)


def _algorithm(key_type: str, algorithms: Sequence[str]) -> str:
    fitting: Mapping[str, tuple[str, ...]] = {"EC": ("ES",), "OKP": ("Ed",), "RSA": ("RS", "PS")}
    return next(name for name in algorithms if name.startswith(fitting[key_type]))


def key_set(path: str) -> KeySet:
    """The keys of a JWKS file.

    Raises:
        ConfigError: it can't be read, or holds none.
    """
    try:
        keys = KeySet.import_key_set(json.loads(Path(path).expanduser().read_text()))
    except OSError as error:
        raise ConfigError(f"can't be read ({error.strerror})", where=path, fix="check its path") from error
    except (JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"not a JWKS ({type(error).__name__})", where=path, fix="see RFC 7517") from error
    if not keys.keys:
        raise ConfigError("holds no key", where=path, fix="add the grid operator's public key")
    return keys
