"""`dask-gateway-server -f` reads this: the hub's own gateway, but a password says who calls."""

import base64
import os

from dask_gateway_server.auth import Authenticator, unauthorized
from dask_gateway_server.models import User

from hub_config import gateway
from hub_config.site import Site


class PasswordAuthenticator(Authenticator):
    """Basic authentication whose names may have a colon, as the hub's names of services do."""

    async def authenticate(self, request):
        kind, _, told = request.headers.get("Authorization", "").partition(" ")
        if kind == "jupyterhub":  # as a conductor calls through a hub
            name, password = gateway.CONDUCTOR, told
        else:
            name, _, password = base64.b64decode(told).decode().rpartition(":")
        if password != os.environ["GATEWAY_PASSWORD"]:
            raise unauthorized("Basic")
        return User(name)


c = get_config()  # noqa: F821
gateway.configure(c, Site.of(os.environ))
c.DaskGateway.authenticator_class = PasswordAuthenticator
