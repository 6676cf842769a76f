"""CID for Jupyter: the catalog as a Jupyter Server extension."""

import sys

# jsonschema takes it if it is there, to check a kind of address that nobody asks for: its grammar
# costs every service, worker and command 1.5 s at its start
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]


def _jupyter_server_extension_points():  # type: ignore[no-untyped-def]
    from .app import CidApp

    return [{"module": "cid_server_ext", "app": CidApp}]
