"""How the dashboard's process is started."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from igoudar.dashboard.theme import streamlit_options

LOOPBACK = ("127.0.0.1", "localhost")
# Loopback only, nothing phones home, no watcher over the installed files.
SERVER: Mapping[str, str] = MappingProxyType(
    {
        "server.address": "127.0.0.1",
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "server.runOnSave": "false",
        "server.enableXsrfProtection": "true",
        "server.enableCORS": "true",
        "server.showEmailPrompt": "false",
        "browser.gatherUsageStats": "false",
        "browser.serverAddress": "127.0.0.1",
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
        "client.showErrorLinks": "false",
        "logger.level": "warning",
        "logger.hideWelcomeMessage": "true",
    }
)


def command(
    port: int, api_url: str, viewer_token_file: Path, names: Sequence[str] = ()
) -> tuple[list[str], dict[str, str]]:
    """Command line and environment that serve the dashboard on 127.0.0.1:`port`.

    `names` are what browsers call it by where the site's proxy stands in front; other hosts are refused.
    """
    options = {**SERVER, "server.port": str(port), **dict(streamlit_options())}
    if names:  # looked at before Streamlit would ask the network for an address of this host
        options["browser.serverAddress"] = names[0]
    flags = [f"--{name}={value}" for name, value in options.items()]
    flags += [f"--server.allowedHosts={host}" for host in (*LOOPBACK, *names)]
    flags += [f"--server.corsAllowedOrigins=https://{name}" for name in names]
    entry = Path(__file__).with_name("app.py")
    environment = {"IGOUDAR_API_URL": api_url, "IGOUDAR_VIEWER_TOKEN_FILE": str(viewer_token_file)}
    return [sys.executable, "-m", "streamlit", "run", str(entry), *flags], environment
