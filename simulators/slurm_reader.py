"""What a real Slurm runs now: its running jobs with their GPUs per node, and its nodes. It only reads."""

import asyncio
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from igoudar.core.errors import LinkError

TIMEOUT_S = 10.0
_GPUS = re.compile(r"gpu(?::[^:(),]+)?:(\d+)")
_GROUP = re.compile(r"([^,\[]+)(?:\[([^\]]*)\])?([^,]*)")
_OFF = ("POWERED_DOWN", "POWERING_DOWN", "POWER_DOWN")


@dataclass(frozen=True, slots=True)
class RunningJob:
    """A job that runs now; a suspended one does not."""

    job_id: str
    partition: str
    qos: str
    comment: str
    gpus: Mapping[str, float]  # by node


@dataclass(frozen=True, slots=True)
class SlurmNode:
    """A node: its GPUs, and whether it is powered down."""

    name: str
    gpus: int
    off: bool


class SlurmReader:
    """Reads by the command line.

    Args:
        conf: The cluster's slurm.conf.
        programs: The folder of `squeue` and `scontrol`, "" = those on PATH.
    """

    def __init__(self, conf: str, programs: str = "") -> None:
        self._programs, self._environment = programs, {**os.environ, "SLURM_CONF": conf}

    async def jobs(self) -> list[RunningJob]:
        """Every job that runs now.

        Raises:
            LinkError: Slurm does not answer, or not as we know it.
        """
        answer = await self._ask("squeue", "--json")
        try:
            return list(running(json.loads(answer)))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _strange("squeue --json", error) from error

    async def nodes(self) -> list[SlurmNode]:
        """Every node.

        Raises:
            LinkError: Slurm does not answer, or not as we know it.
        """
        answer = await self._ask("scontrol", "show", "nodes", "-o")
        try:
            return [node(line) for line in answer.decode(errors="replace").splitlines() if line.strip()]
        except (ValueError, KeyError) as error:
            raise _strange("scontrol show nodes", error) from error

    async def _ask(self, name: str, *words: str) -> bytes:
        program = str(Path(self._programs) / name) if self._programs else name
        try:
            process = await asyncio.create_subprocess_exec(
                program,
                *words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=self._environment,
            )
        except OSError as error:
            fix = "install Slurm's client programs, or correct scheduler.programs in the site file"
            raise LinkError(f"it can't be started ({error.strerror})", where=program, fix=fix) from error
        return await _answer(process, name)


async def _answer(process: asyncio.subprocess.Process, name: str) -> bytes:
    try:
        async with asyncio.timeout(TIMEOUT_S):
            answer, errors = await process.communicate()
    except TimeoutError as error:
        raise LinkError(f"no answer in {TIMEOUT_S:.0f} s", where=name, fix="see slurmctld's log") from error
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode:
        words = errors.decode(errors="replace").strip().splitlines() or [f"exit {process.returncode}"]
        raise LinkError(words[-1], where=name, fix="see slurmctld's log")
    return answer


def _strange(command: str, error: Exception) -> LinkError:
    fix = "this Slurm's version writes another form: see docs for the versions that are known"
    return LinkError(f"its answer can't be read ({error!r})", where=command, fix=fix)


def running(document: Mapping[str, Any]) -> Iterator[RunningJob]:
    """The running jobs of `squeue --json`; each entry of `gres_detail` is one node's, in the nodes' order."""
    if document.get("errors"):  # 22.05 lists nothing, and ends well, while slurmctld is down
        raise ValueError(str(document["errors"])[:200])
    for job in document["jobs"]:
        state = job["job_state"]
        if "RUNNING" not in (state if isinstance(state, list) else [state]):
            continue
        partition, qos, comment = (str(job.get(key) or "") for key in ("partition", "qos", "comment"))
        gpus = _per_node(list(host_names(job["nodes"] or "")), job.get("gres_detail") or [])
        yield RunningJob(str(job["job_id"]), partition, qos, comment, gpus)


def _per_node(nodes: Sequence[str], details: Sequence[str]) -> dict[str, float]:
    """GPUs by node; where Slurm does not tell them apart, each node has an equal part."""
    gpus = [_gpus(text) for text in details]
    if len(gpus) == len(nodes):
        return dict(zip(nodes, gpus, strict=True))
    return dict.fromkeys(nodes, sum(gpus) / max(1, len(nodes)))


def node(line: str) -> SlurmNode:
    """A node from its line of `scontrol show nodes -o`."""
    fields = dict(word.split("=", 1) for word in line.split() if "=" in word)
    states = fields["State"].upper().split("+")
    return SlurmNode(fields["NodeName"], _gpus(fields.get("Gres", "")), any(s in _OFF for s in states))


def _gpus(gres: str) -> int:
    """GPUs in Slurm's words: "gpu:h100:4(IDX:0-3)", "gpu:8", "(null)"."""
    return sum(int(count) for count in _GPUS.findall(gres))


def host_names(text: str) -> Iterator[str]:
    """The hosts of Slurm's short form: "gpu[01-03,07],login1"."""
    for head, ranges, tail in _GROUP.findall(text):
        yield from (f"{head}{number}{tail}" for number in (_numbers(ranges) if ranges else [""]))


def _numbers(ranges: str) -> Sequence[str]:
    """Every number of "01-03,07"; a range keeps the width of its first."""
    found: list[str] = []
    for part in ranges.split(","):
        first, _, last = part.partition("-")
        span = range(int(first), int(last or first) + 1)
        found += [str(number).zfill(len(first)) for number in span]
    return found
