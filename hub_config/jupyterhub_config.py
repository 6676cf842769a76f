"""What `jupyterhub -f` reads: one line for each thing that is configured."""

import os

from hub_config import accounts, network, scopes, services, spawner
from hub_config.site import Site

c = get_config()
site = Site.of(os.environ)

network.configure(c, site)
accounts.configure(c, site)
scopes.configure(c, site)
spawner.configure(c, site)
services.configure(c, site)
