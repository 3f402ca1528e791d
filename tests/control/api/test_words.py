"""What the API refuses is told in the reader's language, whoever refuses it."""

from typing import Any

import httpx
import pytest
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator

from igoudar.control.api.bodies import ModeBody
from igoudar.control.api.malformed import malformed
from igoudar.control.client_way import refused
from igoudar.core.i18n import codes
from igoudar.core.model_people import Listening
from igoudar.core.said import told

JSON = {"Content-Type": "application/json"}
WHY = {"reason": "test"}
CALLS: list[tuple[str, str, dict[str, Any], int]] = [
    ("GET", "/v1/nothing", {}, 404),
    ("DELETE", "/v1/mode", {}, 405),
    ("GET", "/v1/mode", {"headers": {"Authorization": "Bearer x"}}, 401),
    ("GET", "/v1/mode", {"headers": {"Host": "evil.example"}}, 421),
    ("GET", "/v1/mode", {"headers": {"Origin": "https://evil.example"}}, 403),
    ("POST", "/v1/mode", {"data": {"mode": "auto"}}, 415),
    ("POST", "/v1/mode", {"json": {"mode": "auto", "reason": "x" * 100_000}}, 413),
    ("POST", "/v1/mode", {"json": {"mode": "dream", **WHY}}, 422),
    ("POST", "/v1/mode", {"content": b"{", "headers": JSON}, 422),
    ("POST", "/v1/jobs/job-1/cancel", {"json": WHY}, 404),
    ("POST", "/v1/jobs/job-1/cancel/preview", {"json": WHY}, 404),
    ("POST", "/v1/jobs/job-1/hold", {"json": {**WHY, "until": "2026-03-01"}}, 422),
    ("POST", "/v1/site/shed", {"json": {**WHY, "share": 2}}, 422),
    ("GET", "/v1/kpi?window=1y", {}, 409),
    ("GET", "/v1/series?device=a&point=b&start=x&end=y", {}, 422),
    ("GET", "/v1/racks/zz", {}, 404),
    ("POST", "/v1/mode/tides", {"json": {"mode": "auto", **WHY}}, 422),
    ("GET", "/v1/nodes", {}, 409),
    ("POST", "/v1/webhooks/demand-response", {"json": {}}, 404),
]


@pytest.mark.parametrize(("method", "path", "options", "status"), CALLS)
async def test_a_refusal_has_its_words(
    http: httpx.AsyncClient, method: str, path: str, options: dict[str, Any], status: int
) -> None:
    answer = await http.request(method, path, **options)
    assert answer.status_code == status, answer.text
    assert answer.json()["code"] in codes("fr")
    assert answer.json()["fix"] or status == 422  # of a value, what it must be is the next step
    error = refused(answer, path)
    assert told(error, "en") == str(error)
    assert told(error, "fr") != told(error, "en")
    assert answer.json()["what"] in told(error, "en")


class TestTooOften:
    @pytest.fixture
    def listening(self) -> Listening:
        return Listening(calls_per_s=1.0, burst=3)

    async def test_the_next_turn_is_told(self, http: httpx.AsyncClient) -> None:
        answers = [await http.get("/v1/mode") for _ in range(8)]
        late = next(answer for answer in answers if answer.status_code == 429)
        wait_s = late.headers["retry-after"]
        assert told(refused(late, ""), "fr").endswith(
            f"trop d'appels ; le prochain est pris dans {wait_s}\u202fs"
        )


class Wanted(BaseModel):
    model_config = ConfigDict(extra="forbid")
    text: str = Field(default="x", min_length=1, max_length=3)
    share: float = Field(default=0.5, gt=0, le=1, allow_inf_nan=False)
    count: int = Field(default=1, ge=1)
    when: AwareDatetime | None = None
    sure: bool = False
    one: ModeBody | None = None
    odd: str = "x"

    @field_validator("odd")
    @classmethod
    def _even(cls, odd: str) -> str:
        if len(odd) % 2 == 0:
            raise ValueError("it is even")
        return odd


@pytest.mark.parametrize(
    ("text", "english", "french"),
    [
        ('{"text": ""}', "text: must have at least 1 characters", "text: il faut au moins 1 caractères"),
        ('{"text": "long"}', "text: must have at most 3 characters", "text: il faut au plus 3 caractères"),
        ('{"text": 1}', "text: must be a text", "text: il faut un texte"),
        ('{"share": 0}', "share: must be above 0", "share: il faut plus de 0"),
        ('{"share": 1.5}', "share: must be at most 1", "share: il faut au plus 1"),
        ('{"share": "half"}', "share: must be a number", "share: il faut un nombre"),
        ('{"share": 1e999}', "share: must be a number", "share: il faut un nombre"),
        ('{"count": 0}', "count: must be at least 1", "count: il faut au moins 1"),
        ('{"count": "many"}', "count: must be a whole number", "count: il faut un nombre entier"),
        ('{"sure": "perhaps"}', "sure: must be true or false", "sure: il faut true ou false"),
        ('{"more": 1}', "more: there is no such field", "more: aucun champ de ce nom"),
        ('{"one": {"mode": "auto"}}', "one.reason: it is missing", "one.reason: il manque"),
        ('{"one": 1}', "one: must be a JSON object", "one: il faut un objet JSON"),
        (
            '{"odd": "xx"}',
            "odd: it can't be used (Value error",
            "odd: la valeur ne convient pas",
        ),
        ("{", "the body is no JSON", "le corps n'est pas du JSON"),
        (
            '{"when": "noon"}',
            "when: must be a time with its zone.",
            "when: il faut une heure avec son fuseau.",
        ),
        ('{"when": "2026-03-01T12:00:00"}', "when: must be a time", "when: il faut une heure"),
        (
            '{"one": {"mode": "dream", "reason": "x"}}',
            "one.mode: must be one of 'observe', 'advise', 'auto'",
            "one.mode: il faut l'un de 'observe', 'advise', 'auto'",
        ),
    ],
)
def test_what_a_body_lacks_is_told_in_both_languages(text: str, english: str, french: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Wanted.model_validate_json(text)
    error = malformed(caught.value.errors())
    assert told(error, "en").startswith(english), told(error, "en")
    assert told(error, "fr").startswith(french), told(error, "fr")
