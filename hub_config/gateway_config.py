"""What `dask-gateway-server -f` reads; see gateway.py."""

import os

from hub_config import gateway
from hub_config.site import Site

gateway.configure(get_config(), Site.of(os.environ))
