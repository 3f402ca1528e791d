"""The command's first breath: what `igoudar --help` has to import before it can speak."""

import subprocess
import sys

SLOW = ("asyncua", "fastapi", "httpx", "numpy", "polars", "pydantic", "pymodbus", "sqlalchemy", "streamlit")


def test_help_imports_nothing_slow() -> None:
    program = (
        "import sys; from typer.testing import CliRunner; from igoudar.app.main import build; "
        "answer = CliRunner().invoke(build(), ['--help']); "
        f"print(answer.exit_code, sorted(set({SLOW}) & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "0 []"
