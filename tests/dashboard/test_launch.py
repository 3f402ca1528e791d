from pathlib import Path

from igoudar.dashboard.launch import command
from igoudar.dashboard.theme import COLOURS, stylesheet


def test_it_listens_on_loopback_and_phones_nobody() -> None:
    line, environment = command(8501, "http://127.0.0.1:8460", Path("/run/viewer.token"))
    assert {
        "--server.port=8501",
        "--server.address=127.0.0.1",
        "--server.headless=true",
        "--server.fileWatcherType=none",
        "--server.enableXsrfProtection=true",
        "--server.enableCORS=true",
        "--browser.gatherUsageStats=false",
    } <= set(line)
    assert not any(flag.startswith("--theme.base=") for flag in line)  # the browser chooses light or dark
    assert environment["IGOUDAR_API_URL"] == "http://127.0.0.1:8460"
    assert environment.pop("IGOUDAR_VIEWER_TOKEN_FILE").endswith("viewer.token")


def test_it_answers_to_its_own_names_only() -> None:
    line, _ = command(8501, "", Path(), ("energy.site.example",))
    hosts = [flag.partition("=")[2] for flag in line if flag.startswith("--server.allowedHosts=")]
    assert hosts == ["127.0.0.1", "localhost", "energy.site.example"]
    assert "--server.corsAllowedOrigins=https://energy.site.example" in line
    assert "--server.address=127.0.0.1" in line  # the proxy reaches it over loopback


def test_the_entry_exists() -> None:
    entry = next(Path(part) for part in command(1, "", Path())[0] if part.endswith("app.py"))
    assert entry.is_file()


def test_every_role_of_the_stylesheet_has_a_colour() -> None:
    sheet = stylesheet()
    assert all(f"--{role}:" in sheet for role in COLOURS)
    assert "url(" not in sheet
