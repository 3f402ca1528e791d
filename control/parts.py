"""How the other parts fare, as the supervisor writes it."""

import json
from collections.abc import Mapping
from pathlib import Path


def read_parts(path: Path) -> Mapping[str, Mapping[str, object]]:
    """Part -> state, restarts ...; empty where no supervisor runs, or while it writes."""
    try:
        document = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    if not isinstance(document, dict):
        return {}
    return {str(name): part for name, part in document.items() if isinstance(part, dict)}
