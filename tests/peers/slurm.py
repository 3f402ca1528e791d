"""A real Slurm on loopback, with as many nodes as asked for: munged, slurmctld and one slurmd per node.

It needs no systemd and no configuration outside its folder; daemons are stopped by their process id. What a
killed test run left behind is found by its folder and stopped before the next one starts.
"""

import getpass
import json
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.peers import program
from tests.peers.slurm_conf import GPUS_PER_NODE, write_conf

PREFIX = "igoudar-slurm-"
STARTS_WITHIN_S = 60.0
ENDS_WITHIN_S = 3.0
READY = {"idle", "mixed", "allocated"}


@dataclass(slots=True)
class Cluster:
    """A running cluster; `gpus` and `nodes` are its whole size."""

    folder: Path
    conf: Path
    names: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)

    @property
    def gpus(self) -> int:
        return len(self.names) * GPUS_PER_NODE

    def run(self, *command: str, check: bool = True) -> str:
        """What a Slurm command says."""
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, check=False)
        assert done.returncode == 0 or not check, f"{command}: {done.stderr or done.stdout}"
        return done.stdout + done.stderr

    def submit(self, *options: str, script: str = "sleep 600", gpus: int = 1) -> str:
        """The id of a job on so many GPUs of one node; options of sbatch say what else."""
        place = ("--output=/dev/null", f"--chdir={self.folder}/jobs", "--mem=1", f"--gres=gpu:{gpus}")
        said = self.run("sbatch", "--parsable", *place, *options, f"--wrap={script}")
        return said.strip().split(";")[0]

    def jobs(self) -> dict[str, dict[str, Any]]:
        """Everything that squeue knows, by Slurm's own job number."""
        found = json.loads(self.run("squeue", "--json"))["jobs"]
        return {str(job["job_id"]): job for job in found}

    def state(self, job: str) -> str:
        found = self.run("squeue", "-h", "-t", "all", "-o", "%T", "-j", job, check=False)
        return found.split("\n")[0].strip()

    def wait(self, true: Callable[[], object], within_s: float = 20.0) -> None:
        """Until something is so.

        Raises:
            AssertionError: it was not within the time.
        """
        end = time.monotonic() + within_s
        while not true():
            assert time.monotonic() < end, f"not within {within_s:g} s:\n{self.run('squeue', check=False)}"
            threading.Event().wait(0.05)

    def wait_state(self, job: str, *states: str, within_s: float = 20.0) -> None:
        self.wait(lambda: self.state(job) in states, within_s)

    def clear(self) -> None:
        """No jobs, no reservations, all nodes in service."""
        self.run("scancel", "--full", "--user", getpass.getuser(), check=False)
        self.run("scancel", "--signal=KILL", "--user", getpass.getuser(), check=False)
        self.wait(lambda: not self.run("squeue", "-h").strip(), 5 * ENDS_WITHIN_S)
        for line in self.run("scontrol", "-o", "show", "reservation").splitlines():
            if line.startswith("ReservationName="):
                self.run("scontrol", "delete", f"reservation={line.split()[0].partition('=')[2]}")
        self.wait(self._in_service, STARTS_WITHIN_S)

    def _in_service(self) -> bool:
        """All nodes are there; those that were drained are asked back, once they have power."""
        for line in self.run("scontrol", "-o", "show", "node").splitlines():
            name, state = line.split()[0].partition("=")[2], line.partition(" State=")[2].split()[0]
            if "DRAIN" in state and "POWER" not in state:
                self.run("scontrol", "update", f"nodename={name}", "state=resume", check=False)
        return self.ready()

    def stop_controller(self) -> None:
        """slurmctld ends; the nodes and their jobs go on."""
        _end(_pids(self.folder, "slurmctld.pid"))

    def start_controller(self) -> None:
        """slurmctld starts again from its saved state."""
        self.run(_daemon("slurmctld"), "-f", str(self.conf))
        self.wait(lambda: "is UP" in self.run("scontrol", "ping", check=False), STARTS_WITHIN_S)

    def ready(self) -> bool:
        """All nodes are there."""
        said = self.run("sinfo", "-h", "-N", "-o", "%N %T", check=False)
        pairs = [line.split() for line in said.splitlines()]
        return {pair[0] for pair in pairs if len(pair) == 2 and pair[1] in READY} == set(self.names)


@contextmanager
def cluster(nodes: int = 8, every_s: int = 1) -> Iterator[Cluster]:
    """A cluster of its own: nodes gpu01, gpu02, ... of 8 GPUs each, partitions gpu (default) and flex.

    Slurm looks at all that waits each `every_s`; by its own choice it would do so twice a minute.
    """
    for name in ("munged", "slurmctld", "slurmd", "scontrol", "squeue", "sbatch"):
        _daemon(name)
    _sweep()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=_ground()))
    folder.chmod(0o755)  # munged wants a socket that everybody could reach
    (folder / "owner.pid").write_text(str(os.getpid()))
    names = tuple(f"gpu{number:02d}" for number in range(1, nodes + 1))
    conf = write_conf(folder, names, getpass.getuser(), every_s)
    env = {**os.environ, "SLURM_CONF": str(conf), "TZ": "UTC"}
    running = Cluster(folder, conf, names, env)
    try:
        _start(running)
        yield running
    finally:
        _stop(folder)


def _start(running: Cluster) -> None:
    folder = running.folder
    key = folder / "munge.key"
    key.touch(0o600)
    key.write_bytes(secrets.token_bytes(1024))
    files = {"key-file": key, "socket": folder / "munge.sock", "pid-file": folder / "munged.pid"}
    files |= {"log-file": folder / "munged.log", "seed-file": folder / "munged.seed"}
    running.run(_daemon("munged"), "--num-threads=2", *(f"--{name}={path}" for name, path in files.items()))
    running.run(_daemon("slurmctld"), "-f", str(running.conf))
    for name in running.names:
        running.run(_daemon("slurmd"), "-b", "-N", name, "-f", str(running.conf))
    running.wait(running.ready, STARTS_WITHIN_S)


def _stop(folder: Path) -> None:
    """Nodes first, then the controller and munged; whatever works in this folder after that is killed."""
    env = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf")}
    cancel = ["scancel", "--signal=KILL", "--user", getpass.getuser()]
    if _pids(folder, "slurmctld.pid"):
        with suppress(subprocess.TimeoutExpired):
            subprocess.run(cancel, env=env, capture_output=True, timeout=ENDS_WITHIN_S, check=False)
    for pattern in ("slurmd-*.pid", "slurmctld.pid", "munged.pid"):
        _end(_pids(folder, pattern))
    # A slurmd that never reached its controller has no pid file, and ignores SIGTERM.
    for process in _at_home(folder):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    shutil.rmtree(folder, ignore_errors=True)


def _pids(folder: Path, pattern: str) -> list[psutil.Process]:
    found = []
    for path in folder.glob(pattern):
        with suppress(OSError, ValueError, psutil.NoSuchProcess):
            process = psutil.Process(int(path.read_text()))
            if process.name() == path.name.partition("-")[0].removesuffix(".pid"):
                found.append(process)
    return found


def _end(processes: Sequence[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGTERM)
    _, alive = psutil.wait_procs(processes, timeout=ENDS_WITHIN_S)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def _at_home(folder: Path) -> Iterator[psutil.Process]:
    """Processes of a cluster: they name its slurm.conf, or work in its folder."""
    home = str(folder)
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            if process.pid != os.getpid() and (
                f"{home}/slurm.conf" in process.cmdline() or process.cwd().startswith(home)
            ):
                yield process


def _sweep() -> None:
    """Stop clusters whose test run was killed."""
    for folder in _ground().glob(f"{PREFIX}*"):
        with suppress(OSError, ValueError):
            owner = int((folder / "owner.pid").read_text())
            if not psutil.pid_exists(owner):
                _stop(folder)


def _ground() -> Path:
    """Where folders of clusters lie; a Unix socket's path must be short."""
    return Path(tempfile.gettempdir())


def _daemon(name: str) -> str:
    """The path of a program of Slurm, also where a user's PATH does not lead."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    return found or program(
        name, {"munged": "munge", "slurmctld": "slurm-wlm", "slurmd": "slurm-wlm"}.get(name, "slurm-client")
    )
