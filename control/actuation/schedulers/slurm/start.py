"""What must be true of a Slurm before anything is asked of it: found at the start, not at the first cap."""

import getpass
from pathlib import Path

from igoudar.control.actuation.schedulers.slurm import verbs
from igoudar.control.actuation.schedulers.slurm.lines import pairs, settings
from igoudar.control.actuation.schedulers.slurm.program import Programs
from igoudar.core.errors import CommandError, ConfigError, LinkError
from igoudar.core.model_scheduler import Scheduling
from igoudar.core.strict_toml import nearest

PLACE = "scheduler"


def check_file(rules: Scheduling) -> None:
    """Whether slurm.conf can be read.

    Raises:
        ConfigError: it can't.
    """
    path = Path(rules.slurm_conf).expanduser()
    try:
        path.open("rb").close()
    except OSError as error:
        fix = "name the slurm.conf of the cluster, readable by igoudar's user"
        raise ConfigError(
            f"{path} can't be read ({error.strerror})", where=f"{PLACE}.slurm_conf", fix=fix
        ) from error


async def check_qos(programs: Programs, rules: Scheduling) -> None:
    """Whether the flexible QOS exist; this asks slurmdbd, not slurmctld.

    Raises:
        ConfigError: they don't, or nobody can say: without slurmdbd Slurm ignores a QOS silently.
    """
    if not rules.flexible_qos:
        return
    where = f"{PLACE}.flexible_qos"
    try:
        known = (await programs.run(verbs.QOS)).decode(errors="replace").split()
    except (LinkError, CommandError) as error:
        fix = "use flexible_partitions or flexible_comment; without slurmdbd Slurm ignores a QOS silently"
        raise ConfigError(f"sacctmgr does not answer ({error.what})", where=where, fix=fix) from error
    for name in sorted(rules.flexible_qos - set(known)):
        raise ConfigError(f"Slurm has no QOS {name!r}", where=where, fix=nearest(name, known, "QOS"))


async def check_cluster(programs: Programs, rules: Scheduling) -> str:
    """Whether partitions and licence exist and we may act; the name of SlurmUser.

    Raises:
        ConfigError: what the site file says is not so.
        LinkError: slurmctld does not answer.
    """
    config = settings(await programs.run(verbs.CONFIG))
    partitions = [line.get("PartitionName", "") for line in pairs(await programs.run(verbs.PARTITIONS))]
    for name in sorted(rules.flexible_partitions - set(partitions)):
        fix = nearest(name, partitions, "partition")
        raise ConfigError(f"Slurm has no partition {name!r}", where=f"{PLACE}.flexible_partitions", fix=fix)
    if rules.watts_licence:
        licences = [line.get("LicenseName", "") for line in pairs(await programs.run(verbs.LICENCES))]
        if rules.watts_licence not in licences:
            what, fix = f"Slurm has no licence {rules.watts_licence!r}", "add it to Licenses= of slurm.conf"
            raise ConfigError(what, where=f"{PLACE}.watts_licence", fix=fix)
    return _user(config)


def _user(config: dict[str, str]) -> str:
    """With slurmdbd another user can have the right; without, only SlurmUser and root can."""
    user, owner = getpass.getuser(), config.get("SlurmUser", "").partition("(")[0]
    alone = "none" in config.get("AccountingStorageType", "none")
    if alone and owner and user not in ("root", owner):
        fix = f"run igoudar as {owner}"
        raise ConfigError(f"{user} may not steer jobs of others", where=PLACE, fix=fix)
    return owner or user
