"""The record of what was done."""

from collections.abc import Sequence

from igoudar.control.records.tables import ActionRow
from igoudar.control.schema import ActionView, Text
from igoudar.core.i18n import render


def action_views(rows: Sequence[ActionRow]) -> list[ActionView]:
    """Recorded actions as documents."""
    return [
        ActionView(
            at=row.at,
            who=row.who,
            verb=row.verb,
            target=row.target,
            before=row.before,
            after=row.after,
            reason=Text(code=row.code, params=row.params, english=render(row.code, row.params)),
            result=row.result,
            config_version=row.config_version,
            number=row.id,
            previous=row.previous,
            hash=row.hash,
        )
        for row in rows
    ]
