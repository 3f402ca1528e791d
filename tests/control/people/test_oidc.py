"""Tokens of an identity provider, signed for real."""

import base64
import hmac
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from igoudar.control.people.oidc import SignedTokens
from igoudar.control.people.roles import Person, Role
from igoudar.core.errors import ConfigError
from igoudar.core.model_people import Oidc

ISSUER, AUDIENCE = "https://login.example", "igoudar"
KEY = ECKey.generate_key("P-256", {"kid": "one"})
OTHER = ECKey.generate_key("P-256", {"kid": "one"})


def save(path: Path, *keys: Any) -> None:
    path.write_text(json.dumps(KeySet(list(keys)).as_dict(private=False)))


@pytest.fixture
def rules(tmp_path: Path) -> Oidc:
    save(tmp_path / "jwks.json", KEY)
    roles = (("energy-viewers", "viewer"), ("energy-ops", "operator"), ("energy-leads", "supervisor"))
    return Oidc(
        ISSUER,
        AUDIENCE,
        str(tmp_path / "jwks.json"),
        ("ES256", "RS256"),
        "preferred_username",
        "groups",
        roles,
    )


def claims(**more: Any) -> dict[str, Any]:
    now = int(time.time())
    said = {"iss": ISSUER, "aud": AUDIENCE, "sub": "u-1", "exp": now + 300, "iat": now}
    return said | {"preferred_username": "ada", "groups": ["energy-ops", "staff"]} | more


def signed(said: dict[str, Any], key: Any = KEY, alg: str = "ES256") -> str:
    return jwt.encode({"alg": alg, "kid": "one"}, said, key, algorithms=[alg])


def test_a_good_token_speaks_for_a_person_with_the_highest_role_of_their_groups(rules: Oidc) -> None:
    tokens = SignedTokens(rules)
    assert tokens.person(signed(claims())) == Person("oidc:ada", Role.OPERATOR)
    leads = claims(groups=["energy-viewers", "energy-leads"], preferred_username=None)
    assert tokens.person(signed(leads)) == Person("oidc:u-1", Role.SUPERVISOR)
    assert tokens.person(signed(claims(aud=["other", AUDIENCE]))) is not None


def by_hand(header: dict[str, str], secret: bytes) -> str:
    """What no library would sign: without a signature, or with a public key as an HMAC's secret."""

    def part(content: bytes) -> str:
        return base64.urlsafe_b64encode(content).rstrip(b"=").decode()

    said = f"{part(json.dumps(header).encode())}.{part(json.dumps(claims()).encode())}"
    mac = hmac.digest(secret, said.encode(), "sha256") if secret else b""
    return f"{said}.{part(mac)}"


@pytest.mark.parametrize(
    "more",
    [
        {"iss": "https://evil.example"},
        {"aud": "another"},
        {"aud": None},
        {"exp": 1},
        {"exp": None},
        {"nbf": 4_000_000_000},
        {"groups": ["staff"]},
        {"groups": "energy-ops"},
        {"groups": None},
        {"sub": None},
        {"preferred_username": ["ada"]},
    ],
)
def test_a_token_of_others_for_others_or_out_of_time_opens_nothing(rules: Oidc, more: dict[str, Any]) -> None:
    said = {name: value for name, value in claims(**more).items() if value is not None}
    assert SignedTokens(rules).person(signed(said)) is None


def test_none_as_algorithm_is_refused(rules: Oidc) -> None:
    assert SignedTokens(rules).person(by_hand({"alg": "none"}, b"")) is None
    head, body, _ = signed(claims()).split(".")
    assert SignedTokens(rules).person(f"{head}.{body}.") is None


def test_the_public_key_as_a_shared_secret_is_refused(rules: Oidc) -> None:
    token = by_hand({"alg": "HS256", "kid": "one"}, KEY.as_pem(private=False))
    assert SignedTokens(rules).person(token) is None


def test_another_key_or_an_algorithm_that_is_not_named_is_refused(rules: Oidc) -> None:
    tokens = SignedTokens(rules)
    assert tokens.person(signed(claims(), OTHER)) is None
    rsa = RSAKey.generate_key(2048, {"kid": "one"})
    save(Path(rules.jwks_file), rsa)
    tokens = SignedTokens(rules)
    assert tokens.person(signed(claims(), rsa, "RS256")) is not None
    assert tokens.person(signed(claims(), rsa, "PS256")) is None


@pytest.mark.parametrize("token", ["", "a", "a.b.c", "e30.e30.", "é" * 30, "." * 50])
def test_what_is_no_token_is_refused(rules: Oidc, token: str) -> None:
    assert SignedTokens(rules).person(token) is None


def test_new_keys_of_the_provider_are_read_when_their_file_changes(rules: Oidc) -> None:
    tokens, path = SignedTokens(rules), Path(rules.jwks_file)
    assert tokens.person(signed(claims(), OTHER)) is None
    save(path, OTHER)
    os.utime(path, ns=(1, 1))
    assert tokens.person(signed(claims(), OTHER)) is not None
    path.write_text("half a fil")
    os.utime(path, ns=(2, 2))
    assert tokens.person(signed(claims(), OTHER)) is not None


@pytest.mark.parametrize("text", ["", "[]", '{"keys": 3}', '{"keys": [{"kty": "nonsense"}]}', "\udcff"])
def test_a_file_without_keys_is_said_at_start(rules: Oidc, text: str) -> None:
    Path(rules.jwks_file).write_text(text, errors="surrogateescape")
    with pytest.raises(ConfigError, match="public keys"):
        SignedTokens(rules)
    Path(rules.jwks_file).unlink()
    with pytest.raises(ConfigError, match="can't be read"):
        SignedTokens(rules)
