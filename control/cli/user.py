"""Named users, on the host of the records: whoever may write there may name people."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from igoudar.control.cli import show
from igoudar.control.cli.agreement import agreed
from igoudar.control.cli.local import myself, records_of
from igoudar.control.cli.options import (
    DEFAULT_SITE,
    DryOption,
    JsonOption,
    LangOption,
    SiteOption,
    StateOption,
    YesOption,
    language,
)
from igoudar.control.errors import UnknownNameError
from igoudar.core.i18n import render
from igoudar.core.said import said

if TYPE_CHECKING:
    from igoudar.control.people.users import Users
    from igoudar.control.records.safety_tables import UserRow

app = typer.Typer(no_args_is_help=True, help="Who may call the API, and as what.")
NameArgument = Annotated[str, typer.Argument(help="Name of the person or program.")]


@app.command("add")
def add(
    name: NameArgument,
    role: Annotated[str, typer.Option("--role", help="viewer, operator, supervisor or admin.")] = "viewer",
    site: SiteOption = DEFAULT_SITE,
    state: StateOption = None,
    dry_run: DryOption = False,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """A new user; prints the token, which is kept nowhere."""
    from igoudar.control.people.users import Users, role_word

    found = role_word(role)
    if dry_run:
        return _say("would_add_user", lang, name=name, role=role)
    with records_of(site, state) as records:
        token = Users(records).add(name, found, myself(), datetime.now(UTC))
    if as_json:
        return typer.echo(json.dumps({"name": name, "role": role, "token": token}))
    return _say("user_added", lang, name=name, role=role, token=token)


@app.command("list")
def listed(
    site: SiteOption = DEFAULT_SITE,
    state: StateOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Everybody who has a token of their own."""
    from igoudar.control.people.users import Users

    with records_of(site, state) as records:
        rows = Users(records).listed()
    if as_json:
        return typer.echo(json.dumps([_document(row) for row in rows], indent=1))
    for row in rows:
        word = render(f"audit.user_{'off' if row.disabled else 'on'}", {}, language(lang))
        since = f"{row.created_at:%Y-%m-%d %H:%M} UTC"
        _say("user_line", lang, name=row.name, role=row.role, since=since, by=row.created_by, state=word)
    return None


@app.command("disable")
def disable(
    name: NameArgument,
    site: SiteOption = DEFAULT_SITE,
    state: StateOption = None,
    dry_run: DryOption = False,
    yes: YesOption = False,
    lang: LangOption = None,
) -> None:
    """From now on the user's token opens nothing."""
    from igoudar.control.people.users import Users

    with records_of(site, state) as records:
        users = Users(records)
        role = _role_of(users, name)
        words = {"name": name, "role": role}
        if not agreed("disable", language(lang), dry_run=dry_run, yes=yes, area="audit", **words):
            return None
        users.disable(name, myself(), datetime.now(UTC))
    return _say("user_disabled", lang, name=name)


def _role_of(users: "Users", name: str) -> str:
    for row in users.listed():
        if row.name == name:
            return row.role
    raise said(UnknownNameError, "refusal.no_user", where=name)


def _document(row: "UserRow") -> dict[str, object]:
    times = {"created_at": row.created_at.isoformat(), "created_by": row.created_by}
    return {"name": row.name, "role": row.role, **times, "disabled": row.disabled}


def _say(code: str, lang: str | None, **params: object) -> None:
    for line in render(f"audit.{code}", params, language(lang)).splitlines():
        typer.echo(show.printable(line))
