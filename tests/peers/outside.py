"""Watches whole process trees for calls beyond this host, at the C library, where no loop can hide them."""

import subprocess
from pathlib import Path

from tests.peers import program

SOURCE = Path(__file__).with_name("outside.c")


def watching(folder: Path) -> tuple[dict[str, str], Path]:
    """Variables that let a program and its children be watched, and the file of what they reach for."""
    library, log = folder / "outside.so", folder / "outside.log"
    command = [program("gcc", "gcc"), "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", str(library)]
    subprocess.run([*command, str(SOURCE), "-ldl"], check=True, capture_output=True)
    return {"LD_PRELOAD": str(library), "OUTSIDE_LOG": str(log)}, log


def reached(log: Path) -> set[str]:
    """What was reached for, each once."""
    return set(log.read_text().splitlines()) if log.exists() else set()
