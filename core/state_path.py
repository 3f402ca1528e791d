"""Where a site keeps its state."""

import os
from pathlib import Path


def state_path(site: str, chosen: Path | None) -> Path:
    """`--state`, else IGOUDAR_STATE, else a folder of the site under XDG_STATE_HOME; untouched."""
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    named = chosen or (Path(value) if (value := os.environ.get("IGOUDAR_STATE")) else None)
    return named or Path(base) / "igoudar" / site
