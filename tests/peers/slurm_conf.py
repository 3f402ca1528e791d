"""The configuration of an emulated GPU cluster: every node is a slurmd on loopback, its GPUs are nothing."""

import os
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

GPUS_PER_NODE = 8
WATTS_PER_GPU = 700

# Points that bite: GPUs need a File= or count as 0; nodes larger than this host need config_overrides;
# power_down is refused unless SuspendTime is finite; without NoInAddrAny daemons listen on every address.
SLURM = """
ClusterName={cluster}
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
CredType=cred/munge
CommunicationParameters=NoAddrCache,NoInAddrAny,NoCtldInAddrAny
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SlurmdParameters=config_overrides
SlurmdTimeout=30
DebugFlags=NO_CONF_HASH
KillWait=1
MinJobAge=300
MaxArraySize=100
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerType=sched/backfill
SchedulerParameters=sched_interval={every_s},bf_interval={every_s},defer=0
PriorityType=priority/basic
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
GresTypes=gpu
Licenses=watts:{watts}
SuspendProgram={folder}/power_off
ResumeProgram={folder}/power_on
SuspendTime=2592000
SuspendTimeout=5
ResumeTimeout=20
SuspendRate=0
ResumeRate=0
"""
NODE = (
    "NodeName={name} NodeAddr=127.0.0.1 NodeHostname={host} Port={port} CPUs=64 RealMemory=512000 "
    "Gres=gpu:h100:{gpus} State=UNKNOWN"
)
PARTITIONS = (
    "PartitionName=gpu Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF",
    "PartitionName=flex Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=1 PreemptMode=REQUEUE GraceTime=0",
)


def write_conf(folder: Path, names: Sequence[str], user: str, every_s: int) -> Path:
    """Everything that daemons of these nodes read, in `folder`; the path of slurm.conf."""
    host = socket.gethostname().split(".")[0]
    port, *ports = free_ports(1 + len(names))
    head = SLURM.format(
        folder=folder,
        cluster=folder.name.replace("_", "-").lower()[-30:].strip("-"),
        host=host,
        port=port,
        user=user,
        every_s=every_s,
        watts=len(names) * GPUS_PER_NODE * WATTS_PER_GPU,
    )
    nodes = [
        NODE.format(name=name, host=host, port=at, gpus=GPUS_PER_NODE)
        for name, at in zip(names, ports, strict=True)
    ]
    conf = folder / "slurm.conf"
    conf.write_text("\n".join([head, *nodes, *PARTITIONS, ""]))
    gpus = f"Name=gpu Type=h100 File={folder}/gpu[0-{GPUS_PER_NODE - 1}]"
    (folder / "gres.conf").write_text("".join(f"NodeName={name} {gpus}\n" for name in names))
    _furnish(folder, names, conf)
    return conf


def _furnish(folder: Path, names: Sequence[str], conf: Path) -> None:
    for path in ("state", "jobs", *(f"spool/{name}" for name in names)):
        (folder / path).mkdir(parents=True)
    for number in range(GPUS_PER_NODE):
        _nothing(folder / f"gpu{number}")
    power = Path(__file__).with_name("slurm_power.py")
    for action in ("on", "off"):
        script = folder / f"power_{action}"
        script.write_text(f'#!/bin/sh\nexec {sys.executable} {power} {action} {conf} "$1"\n')
        script.chmod(0o755)


def _nothing(path: Path) -> None:
    """A device that stands for a GPU: a clone of /dev/null, or a plain file where that is not allowed."""
    with suppress(PermissionError):
        os.mknod(path, 0o020666, os.makedev(1, 3))
        return
    path.touch()


def free_ports(count: int) -> list[int]:
    """Ports of loopback that were free just now, all different."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()
