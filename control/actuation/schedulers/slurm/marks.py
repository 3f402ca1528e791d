"""What we did to a job, written where Slurm keeps it: its administrator's comment. Pure.

So a restart of control, or the loss of its state, forgets neither whose a begin time is nor who suspended.
A comment that an administrator wrote is left alone; then only memory knows.
"""

import re
from dataclasses import dataclass, replace

PREFIX = "igoudar:"
SAME_S = 1.5  # begin times as Slurm shows them are whole seconds

_ITEM = re.compile(r"(at|begin)=([0-9]{1,12})|(suspended)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Mark:
    """Our traces on a job; times are wall times [POSIX s].

    `at_s` is the begin time that we set, `begin_s` the one that its user had asked for (0 = none).
    """

    at_s: int = 0
    begin_s: int = 0
    suspended: bool = False

    def text(self) -> str:
        """As an administrator's comment, "" when there is nothing to say."""
        items = [f"at={self.at_s}", f"begin={self.begin_s}"] if self.at_s else []
        items += ["suspended"] if self.suspended else []
        return PREFIX + ",".join(items) if items else ""

    def delayed(self, begin_s: float | None) -> bool:
        """Whether a job's begin time is the one that we set."""
        return bool(self.at_s) and begin_s is not None and abs(begin_s - self.at_s) < SAME_S


def read_mark(comment: str) -> Mark:
    """Our traces in an administrator's comment; none in one that is not ours."""
    mark = Mark()
    if not comment.startswith(PREFIX):
        return mark
    for item in comment.removeprefix(PREFIX).split(","):
        match = _ITEM.fullmatch(item)
        if match is None:
            continue
        if match[3]:
            mark = replace(mark, suspended=True)
        elif match[1] == "at":
            mark = replace(mark, at_s=int(match[2]))
        else:
            mark = replace(mark, begin_s=int(match[2]))
    return mark


def writable(comment: str) -> bool:
    """Whether an administrator's comment is empty or ours."""
    return not comment or comment.startswith(PREFIX)
