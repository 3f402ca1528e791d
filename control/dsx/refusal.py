"""Why a message from outside is not acted upon; each reason has a name."""

from igoudar.core.errors import CommandError


class RefusedError(CommandError):
    """A message that is not acted upon.

    Attributes:
        reason: One of malformed, wrong_topic, foreign_source, not_signed, bad_signature, repeated, too_old,
            from_the_future, not_ours, out_of_bounds.
    """

    def __init__(self, reason: str, what: str, *, where: str = "dsx") -> None:
        super().__init__(what, where=where)
        self.reason = reason
