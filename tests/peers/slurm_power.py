"""What slurmctld calls to power nodes of the emulated cluster: `slurm_power.py on|off CONF NODES`.

Off stops a node's slurmd, on starts it again, reporting a boot. slurmctld starts this with its own blocked
signals, which children inherit: a slurmd with that mask could never be stopped, so it is cleared first.
"""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def main() -> None:
    action, conf, nodes = sys.argv[1:]
    os.environ.update(PATH=PATH, SLURM_CONF=conf)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    folder = Path(conf).parent
    names = subprocess.run(["scontrol", "show", "hostnames", nodes], check=True, capture_output=True)
    for name in names.stdout.decode().split():
        turn_on(name, conf) if action == "on" else turn_off(folder / f"slurmd-{name}.pid")
        with (folder / "power.log").open("a") as log:
            log.write(f"{action} {name}\n")


def turn_on(name: str, conf: str) -> None:
    nowhere = subprocess.DEVNULL  # slurmctld closes its end of what it gave us
    command = ["slurmd", "-b", "-N", name, "-f", conf]
    subprocess.run(command, check=True, stdin=nowhere, stdout=nowhere, stderr=nowhere)


def turn_off(pid_file: Path) -> None:
    with contextlib.suppress(OSError, ValueError):
        os.kill(int(pid_file.read_text()), signal.SIGTERM)


if __name__ == "__main__":
    main()
