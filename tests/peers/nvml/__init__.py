"""A stand-in for NVIDIA's management library, compiled for the test run; GPUs are lines of a file.

No GPU is in this environment: what the cap agent does with NVML is shown against this library, which has its
C interface and none of its driver. `tests/control/caps_agent/test_real_gpu.py` is for a host that has one.
"""

import ctypes
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path

from tests.peers import program

SOURCE = Path(__file__).with_name("standin.c")
LIBRARY = "libnvidia-ml.so.1"  # the name that nvidia-ml-py loads
VARIABLE = "IGOUDAR_NVML_STANDIN"


@dataclass(frozen=True)
class Gpu:
    """One line of the file; powers in mW, as NVML has them."""

    uuid: str
    name: str = "NVIDIA-GB200"
    standard: int = 1_200_000
    low: int = 400_000
    high: int = 1_200_000
    limit: int = 1_200_000
    usage: int = 650_000
    mode: str = "ok"  # ok | refuse | ignore | lost


class Node:
    """The GPUs of one node, in a file that the library reads at every call."""

    def __init__(self, file: Path, gpus: int = 2) -> None:
        self.file, self._count = file, gpus
        self._driver = "ok"
        self.reset()

    def reset(self) -> None:
        """As they come from the factory."""
        self._write([Gpu(f"GPU-{number:08x}") for number in range(self._count)])

    @property
    def gpus(self) -> list[Gpu]:
        """As they stand now."""
        return list(self._read())

    @property
    def limits_w(self) -> list[float]:
        """The limit of each GPU [W]."""
        return [gpu.limit / 1000 for gpu in self.gpus]

    def change(self, number: int | None = None, **changes: object) -> None:
        """Change one GPU, or all."""
        self._write(
            [
                replace(gpu, **changes) if number in (None, n) else gpu  # type: ignore[arg-type]
                for n, gpu in enumerate(self.gpus)
            ]
        )

    def reboot(self) -> None:
        """Limits do not survive it: each GPU has its default again."""
        self._write([replace(gpu, limit=gpu.standard) for gpu in self.gpus])

    def driver(self, state: str) -> None:
        """Load ("ok") or unload ("gone") the driver."""
        gpus = self.gpus
        self._driver = state
        self._write(gpus)

    def _read(self) -> Iterator[Gpu]:
        for line in self.file.read_text().splitlines()[1:]:
            uuid, name, *numbers, mode = line.split()
            yield Gpu(uuid, name, *map(int, numbers), mode=mode)

    def _write(self, gpus: list[Gpu]) -> None:
        names = [field.name for field in fields(Gpu)]
        lines = [" ".join(str(getattr(gpu, name)) for name in names) for gpu in gpus]
        part = self.file.with_suffix(".test")
        part.write_text("\n".join([f"driver {self._driver}", *lines, ""]))
        part.replace(self.file)


def compiled(folder: Path) -> Path:
    """The library in `folder`, which then is what LD_LIBRARY_PATH should name.

    Skips the test where there is no C compiler.
    """
    library = folder / LIBRARY
    options = ("-shared", "-fPIC", "-O1", "-Wall", "-Werror", f"-Wl,-soname,{LIBRARY}")
    subprocess.run([program("cc", "gcc"), *options, "-o", library, SOURCE], check=True)
    return library


def preloaded(library: Path) -> ctypes.CDLL:
    """The library in this process: who then loads its name gets it, wherever the system looks."""
    return ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)
