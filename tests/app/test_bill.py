import json
from importlib.metadata import version
from pathlib import Path

import typer
from typer.testing import CliRunner

from igoudar.app.bill import add_commands, materials
from igoudar.app.main import build


def test_every_component_has_a_name_a_version_and_an_address() -> None:
    document = materials()
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    assert document["metadata"]["component"]["name"] == "igoudar"
    for component in document["components"]:
        assert component["purl"] == component["bom-ref"]
        assert component["purl"].endswith(f"@{component['version']}")
    names = {component["name"].lower() for component in document["components"]}
    assert {"sqlalchemy", "cryptography", "starlette", "pydantic_core"} <= names
    assert not {"pytest", "mypy", "schemathesis"} & names  # what only tests need is not shipped


def test_every_dependency_leads_to_a_component() -> None:
    document = materials()
    known = {component["bom-ref"] for component in document["components"]}
    known.add(document["metadata"]["component"]["bom-ref"])
    assert {one["ref"] for one in document["dependencies"]} == known
    assert {ref for one in document["dependencies"] for ref in one["dependsOn"]} <= known
    assert f"pkg:pypi/uvicorn@{version('uvicorn')}" in known


def test_the_command_writes_it(tmp_path: Path) -> None:
    app = typer.Typer()
    add_commands(app)
    app.command("other")(lambda: None)  # one command alone would have no name
    done = CliRunner().invoke(app, ["bill", "--out", str(tmp_path / "bill.json"), "--lang", "en"])
    assert done.exit_code == 0, done.output
    components = json.loads((tmp_path / "bill.json").read_text())["components"]
    assert f"{len(components)} components" in done.stdout
    assert "bill" in {command.name for command in build().registered_commands}
