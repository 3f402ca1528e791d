import httpx
import pytest

from igoudar.core.model_people import Listening


@pytest.fixture
def listening() -> Listening:
    return Listening(calls_per_s=2.0, burst=20)


async def test_too_many_calls_are_told_when_to_come_back(http: httpx.AsyncClient) -> None:
    answers = [await http.get("/v1/mode") for _ in range(60)]
    late = next(answer for answer in answers if answer.status_code == 429)
    assert int(late.headers["retry-after"]) >= 1
    assert set(late.json()) == {"what", "where", "fix", "code", "params"}
    async with httpx.AsyncClient(base_url=http.base_url) as stranger:
        guesses = [await stranger.get("/v1/mode", headers={"Authorization": "Bearer x"}) for _ in range(30)]
    assert {answer.status_code for answer in guesses} == {401, 429}
