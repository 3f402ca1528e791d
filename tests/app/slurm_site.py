"""The laboratory's site file with a real Slurm in the place of its simulated scheduler."""

from importlib.resources import files
from pathlib import Path

from tests.peers.slurm import Cluster

TABLE = """
[scheduler]
kind = "slurm"
slurm_conf = "{conf}"
flexible_partitions = ["flex"]
watts_licence = "watts"

[scheduler.racks_per_node]
"gpu{{01..{nodes:02d}}}" = ["a1-{{01..08}}"]
"""


def site_on(slurm: Cluster, folder: Path) -> str:
    """The path of the site file: each node stands for one rack."""
    written = files("igoudar.seeds").joinpath("jazari-lab.toml").read_text()
    path = folder / "jazari-lab.toml"
    path.write_text(written + TABLE.format(conf=slurm.conf, nodes=len(slurm.names)))
    return str(path)
