"""A disk that can be stopped at any call, and forgets what was not made durable."""

import errno
import random
from dataclasses import dataclass, field


class PowerCutError(BaseException):
    """The process ends here; nothing that it still wanted to do happens."""


@dataclass
class FakeDisk:
    """Files with what is durable of them; a `Disk`.

    `cut_after` counts calls down: at 0 the power goes, in the middle of a write as well. `refuse` makes
    every write fail with ENOSPC, having written a part.
    """

    chance: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311 - chance
    cut_after: int = -1
    refuse: bool = False
    calls: int = 0
    files: dict[str, bytearray] = field(default_factory=dict)
    _entries: dict[str, bytearray] = field(default_factory=dict)  # names as last made durable
    _synced: dict[int, tuple[bytearray, int]] = field(default_factory=dict)  # file -> durable bytes of it

    def sizes(self) -> dict[str, int]:
        return {name: len(content) for name, content in self.files.items()}

    def read(self, name: str, most_bytes: int = -1) -> bytes:
        if name not in self.files:
            raise FileNotFoundError(errno.ENOENT, "no such file", name)
        return bytes(self.files[name] if most_bytes < 0 else self.files[name][:most_bytes])

    def append(self, name: str, content: bytes) -> None:
        part = content[: self.chance.randrange(len(content) + 1)]
        if self._cuts_here():
            self.files.setdefault(name, bytearray()).extend(part)
            raise PowerCutError
        if self.refuse:
            self.files.setdefault(name, bytearray()).extend(part)
            raise OSError(errno.ENOSPC, "no space left on device")
        self.files.setdefault(name, bytearray()).extend(content)

    def truncate(self, name: str, size: int) -> None:
        self._may_cut()
        del self.files[name][size:]

    def sync(self, name: str) -> None:
        self._may_cut()
        if self.refuse:
            raise OSError(errno.EIO, "input/output error")
        self._synced[id(self.files[name])] = (self.files[name], len(self.files[name]))

    def rename(self, old: str, new: str) -> None:
        self._may_cut()
        self.files[new] = self.files.pop(old)

    def remove(self, name: str) -> None:
        self._may_cut()
        self.files.pop(name, None)

    def sync_folder(self) -> None:
        self._may_cut()
        self._entries = dict(self.files)

    def _may_cut(self) -> None:
        if self._cuts_here():
            raise PowerCutError

    def _cuts_here(self) -> bool:
        self.calls += 1
        if self.cut_after < 0:
            return False
        self.cut_after -= 1
        return self.cut_after < 0

    def kill(self) -> None:
        """SIGKILL: the kernel still has all that was written."""
        self.cut_after = -1

    def power_cut(self) -> None:
        """Of what was not synced any part may be there, or zeros in its place; names may be old or new."""
        self.cut_after = -1
        entries = {name: file for name, file in self._entries.items() if self._keeps(name)}
        entries |= {name: file for name, file in self.files.items() if self.chance.random() < 0.5}
        entries |= {n: f for n, f in self._entries.items() if n in self.files and n not in entries}
        self.files = {name: bytearray(self._after_cut(file)) for name, file in entries.items()}
        self._entries = dict(self.files)
        self._synced = {id(file): (file, len(file)) for file in self.files.values()}

    def _keeps(self, name: str) -> bool:
        """A name that was durable stays, unless it was removed since: then either."""
        return name in self.files or self.chance.random() < 0.5

    def _after_cut(self, file: bytearray) -> bytes:
        whole = bytes(file)
        synced = self._synced.get(id(file), (file, 0))[1]
        rest = whole[synced:]
        rest = rest[: self.chance.randrange(len(rest) + 1)]
        return whole[:synced] + (bytes(len(rest)) if self.chance.random() < 0.3 else rest)
