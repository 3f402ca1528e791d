"""Errors of the control room that its API tells apart."""

from igoudar.core.errors import CommandError


class UnknownNameError(CommandError):
    """A rack, device, job or alarm that the site does not have."""
