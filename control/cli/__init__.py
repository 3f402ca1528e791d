"""The operator's command line: a client of the API like any other."""

import typer


def add_commands(app: typer.Typer) -> None:
    """Add status, kpi, devices, plan, mode and the groups: job, node, alarms, proposal, override ..."""
    from igoudar.control.cli import (
        alarms,
        audit,
        handsoff,
        job,
        look,
        mode,
        node,
        override,
        plan,
        proposal,
        user,
    )

    app.command("status")(look.status)
    app.command("kpi")(look.kpi)
    app.command("devices")(look.devices)
    app.command("plan")(plan.plan)
    app.command("mode")(mode.mode)
    app.add_typer(job.app, name="job")
    app.add_typer(node.app, name="node")
    app.add_typer(alarms.app, name="alarms")
    app.add_typer(proposal.app, name="proposal")
    app.add_typer(override.app, name="override")
    app.add_typer(handsoff.app, name="handsoff")
    app.add_typer(audit.app, name="audit")
    app.add_typer(user.app, name="user")
