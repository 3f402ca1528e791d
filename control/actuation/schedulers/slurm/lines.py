"""Slurm's `Key=Value` lines, where it has no JSON; only of things that administrators name."""

import re

_PAIR = re.compile(r"(\w+)=(\S*)", re.ASCII)
_SETTING = re.compile(r"(\w+)\s+=\s(.*)", re.ASCII)


def pairs(text: bytes) -> list[dict[str, str]]:
    """One table per line of `scontrol -o show`."""
    return [dict(_PAIR.findall(line)) for line in text.decode(errors="replace").splitlines() if "=" in line]


def settings(text: bytes) -> dict[str, str]:
    """The lines of `scontrol show config`."""
    found = (_SETTING.fullmatch(line.strip()) for line in text.decode(errors="replace").splitlines())
    return {match[1]: match[2].strip() for match in found if match}
