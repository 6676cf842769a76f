"""CID for Jupyter: the catalog as a Jupyter Server extension."""


def _jupyter_server_extension_points():  # type: ignore[no-untyped-def]
    from .app import CidApp

    return [{"module": "cid_server_ext", "app": CidApp}]
