"""The command's first breath: what `igoudar --help` has to import before it can speak."""

import subprocess
import sys
from pathlib import Path

import pytest

from igoudar.app.main import main
from igoudar.control.records.state import Records

SLOW = ("asyncua", "fastapi", "httpx", "numpy", "polars", "pydantic", "pymodbus", "sqlalchemy", "streamlit")


def test_help_imports_nothing_slow() -> None:
    program = (
        "import sys; from typer.testing import CliRunner; from igoudar.app.main import build; "
        "answer = CliRunner().invoke(build(), ['--help']); "
        f"print(answer.exit_code, sorted(set({SLOW}) & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "0 []"


@pytest.mark.parametrize("lang", [("--lang", "fr"), ("--lang=fr",)])
def test_a_refusal_is_told_in_the_language_that_was_asked(
    tmp_path: Path, lang: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Records.open(tmp_path / "state.sqlite").close()
    monkeypatch.setattr(
        sys, "argv", ["igoudar", "user", "disable", "nobody", "--state", str(tmp_path), *lang]
    )
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == (
        "igoudar: nobody: aucun utilisateur de ce nom. `igoudar user list` les montre\n"
    )
