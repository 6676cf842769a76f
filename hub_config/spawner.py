"""Users' servers: local processes, one folder each.

They all run as the hub's own system user, which isolates nobody: for a demo, a course or one
trusted group. A site with real users takes another spawner (containers, Kubernetes).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from .site import Site


def configure(c: Any, site: Site) -> None:
    """Start JupyterLab with the catalog's address, and nothing secret, in its environment."""
    c.JupyterHub.spawner_class = "simple"
    c.SimpleLocalProcessSpawner.home_dir_template = str(site.run / "home" / "{username}")
    c.Spawner.cmd = [str(Path(sys.executable).parent / "jupyterhub-singleuser")]
    c.Spawner.args = ["--allow-root"] if os.geteuid() == 0 else []
    c.Spawner.default_url = "/lab"
    c.Spawner.start_timeout = c.Spawner.http_timeout = 120
    c.Spawner.environment = {"CID_URL": site.service_url, **_own_folders(site)}
    # servers and services end quickly, so that the hub does
    c.LocalProcessSpawner.interrupt_timeout = 3
    c.LocalProcessSpawner.term_timeout = 2
    c.LocalProcessSpawner.kill_timeout = 2


def _own_folders(site: Site) -> dict[str, Any]:
    # values that are functions are called with the spawner of the user in question
    def below(folder: str) -> Any:
        return lambda spawner: str(site.run / "home" / spawner.user.name / folder)

    return {
        "JUPYTER_CONFIG_DIR": below(".jupyter"),
        "JUPYTER_DATA_DIR": below(".local/share/jupyter"),
        "JUPYTER_RUNTIME_DIR": below(".local/share/jupyter/runtime"),
        "IPYTHONDIR": below(".ipython"),
        "MPLCONFIGDIR": below(".config/matplotlib"),
    }
