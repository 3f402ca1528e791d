"""Whether the audit is whole: every link of its chain, against every anchor outside the database."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from igoudar.control.records import torn
from igoudar.control.records.anchor import Anchor
from igoudar.control.records.chain import FIRST, Link, Problem, check
from igoudar.control.records.state import Records
from igoudar.core.errors import StoreError

SHOWN_MAX = 50  # problems; whoever edits a chain breaks much of it
UNFOLLOWED = ("audit.broken", "audit.missing")  # the line before may have been rewritten with a fitting hash


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a full look found."""

    end: Link  # of the chain in the database
    whole_to: int  # nothing is wrong up to here; before a line that does not follow: as anchors vouch
    anchored: int  # the highest number that an anchor knows
    problems: tuple[Problem, ...]

    @property
    def whole(self) -> bool:
        """Whether nothing was edited, removed or cut off."""
        return not self.problems


def verify(records: Records) -> Verdict:
    """Look at every row and every anchor; a row that can't be read is a problem like others.

    Raises:
        StoreError: the database or an anchor can't be read.
    """
    known = {file.path: _anchored(file) for file in records.anchors}
    problems: list[Problem] = []
    end, whole_to = FIRST, 0
    for found in check(torn.links(records)):
        if isinstance(found, Problem):
            problems.append(found)
        else:
            end = found
            problems += _unlike(found, known)
            whole_to = whole_to if problems else end.number
    if problems and problems[0].code in UNFOLLOWED:
        whole_to = _vouched(whole_to, known)
    head = records.head()
    if head.number != end.number or end.hash not in ("", head.hash):
        problems.append(Problem("audit.head", {"number": head.number, "rows": end.number}))
    problems += _beyond(end, known)
    anchored = max((number for links in known.values() for number in links), default=0)
    return Verdict(end, whole_to, anchored, tuple(problems[:SHOWN_MAX]))


def last_anchor_holds(records: Records) -> bool:
    """A quick look for each start: the newest anchored link of every file is in the database as it was."""
    newest = [link for file in records.anchors if (link := _last(file)) is not None]
    return all(records.link(link.number) == link for link in newest)


def _anchored(file: Anchor) -> Mapping[int, set[str]]:
    links: defaultdict[int, set[str]] = defaultdict(set)
    for link in _read(file):
        links[link.number].add(link.hash)
    return dict(links)


def _last(file: Anchor) -> Link | None:
    links = _read(file)
    return links[-1] if links else None


def _read(file: Anchor) -> list[Link]:
    try:
        return file.links()
    except OSError as error:
        raise StoreError(
            f"the anchor can't be read ({error.strerror})",
            where=str(file.path),
            fix="bring its disk back",
        ) from error


def _unlike(link: Link, known: Mapping[Path, Mapping[int, set[str]]]) -> Iterator[Problem]:
    """An anchor that remembers another row at this place."""
    for path, links in known.items():
        if link.hash and links.get(link.number, {link.hash}) != {link.hash}:
            yield Problem("audit.unlike", {"number": link.number, "path": str(path)})


def _vouched(number: int, known: Mapping[Path, Mapping[int, set[str]]]) -> int:
    """The last anchored line up to one: those after it may be what was changed, with fitting hashes."""
    return max((one for links in known.values() for one in links if one <= number), default=0)


def _beyond(end: Link, known: Mapping[Path, Mapping[int, set[str]]]) -> Iterator[Problem]:
    """Anchors that know of more than there is, or of nothing."""
    for path, links in known.items():
        if not links and end.number:
            yield Problem("audit.no_anchor", {"path": str(path)})
        elif links and max(links) > end.number:
            yield Problem("audit.cut", {"anchored": max(links), "rows": end.number, "path": str(path)})
