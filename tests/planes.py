"""A data plane that listens on loopback: one process of the service, without its database."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

from cid_server_ext.handlers.data import data_routes
from cid_server_ext.storage.inplace import Roots
from cid_server_ext.storage.plane import DataPlane
from cid_server_ext.storage.roots import Folder
from cid_server_ext.storage.tickets import Signer


@contextmanager
def listening(root: Path, roots: Roots | None = None) -> Iterator[tuple[DataPlane, int]]:
    """Serve what lies below `root` from a thread; give the plane and its port."""
    plane = DataPlane(Folder(root), Signer((b"k" * 32,)), roots or Roots())
    loop, ready, stop = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    sockets = bind_sockets(0, "127.0.0.1", family=socket.AF_INET)

    async def serve() -> None:
        application = Application(data_routes(), cid_data=plane, xsrf_cookies=True)
        server = HTTPServer(application, max_body_size=100_000)
        server.add_sockets(sockets)
        ready.set()
        await stop.wait()
        server.stop()
        await server.close_all_connections()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        assert ready.wait(60)
        yield plane, sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(60)
        loop.close()
