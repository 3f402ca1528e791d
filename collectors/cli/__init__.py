"""The tools that an engineer reaches for first: probe, read, record, `profile ...`."""

import typer


def add_commands(app: typer.Typer) -> None:
    """Add probe, read, record and `profile check|list`."""
    from igoudar.collectors.cli import profile
    from igoudar.collectors.cli.device import read, record
    from igoudar.collectors.cli.probe import probe

    for command in (probe, read, record):
        app.command(command.__name__)(command)
    app.add_typer(profile.app, name="profile")
