"""Roles, each with the rights of all below it, and the person who has one. Pure."""

from dataclasses import dataclass
from enum import IntEnum
from typing import cast

from igoudar.control.schema import RoleWord


class Role(IntEnum):
    """What a person may do; a higher one may do all that a lower one may."""

    VIEWER = 1  # reads
    OPERATOR = 2  # acts: modes, jobs, alarms, overrides, events, hands-off
    SUPERVISOR = 3  # approves what needs a second person, exports the audit
    ADMIN = 4  # says who may call

    @property
    def word(self) -> RoleWord:
        """As it is written in tables, files and on the command line."""
        return cast("RoleWord", self.name.lower())


WORDS: dict[str, Role] = {role.word: role for role in Role}


@dataclass(frozen=True, slots=True)
class Person:
    """Who calls: the name that the audit records, and the role."""

    name: str
    role: Role
