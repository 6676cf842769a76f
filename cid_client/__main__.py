"""`python -m cid_client` is `cid`."""

from __future__ import annotations

import sys

from .cli import main

sys.exit(main())
