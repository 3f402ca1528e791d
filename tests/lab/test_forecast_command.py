import json

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from igoudar.lab import cli, forecast_study
from igoudar.lab.forecast_words import show_scores


def scores():
    kinds = ("persistence", "climatology", "mix", "model")
    figures = {
        "nrmse": 0.1,
        "skill": 0.05,
        "skill_low": 0.01,
        "skill_high": 0.09,
        "pinball": 0.02,
        "coverage": 0.8,
    }
    rows = [
        {"channel": "wind", "kind": kind, "lead_h": lead, **figures} for kind in kinds for lead in (1, 6, 7)
    ]
    return pl.DataFrame(rows)


def test_scores_are_a_table_a_channel(capsys):
    show_scores(scores(), "fr")
    told = capsys.readouterr().out
    assert "wind" in told
    assert "1,0 .. 9,0" in told
    assert told.count("80,0") == 2  # 7 h is not among the horizons shown


def test_forecast_answers_in_json(monkeypatch, resource, jobs):
    monkeypatch.setattr(forecast_study, "study", lambda scenario, bulletins: scores())
    app = typer.Typer()
    cli.add_commands(app)
    words = ["lab", "forecast", "--resource", str(resource), "--jobs", str(jobs), "--json"]
    assert json.loads(CliRunner().invoke(app, words).stdout)[0]["skill"] == pytest.approx(0.05)
