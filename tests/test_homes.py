"""One extension, two homes and a pointer: what each of them serves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import tifffile
import websocket
import world
from ports import free_port
from processes import stop, wait_until

import cid_client as cid

SUM = json.loads(world.NOTEBOOK)
SUM["cells"].append(
    {
        "cell_type": "code",
        "id": "b",
        "metadata": {},
        "source": "import cid_client as cid\nrun = cid.current_run()\n"
        "run.outputs.metric('sum', int(run.input.to_xarray().sum()))\n"
        "run.outputs.metric('sigma', sigma)",
        "outputs": [],
        "execution_count": None,
    }
)
TOKEN = "a token of this test"


@contextmanager
def jupyter_server(folder: Path, **environ: str) -> Iterator[str]:
    """Give the address of an ordinary Jupyter Server with our extension."""
    port = free_port()
    settings = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "JUPYTER_TOKEN": TOKEN,
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        **environ,
    }
    arguments = ["--no-browser", "--ip=127.0.0.1", f"--port={port}", "--allow-root"]
    log = (folder / "server.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyter_server", *arguments],
        cwd=folder,
        env=settings,
        stdout=log,
        stderr=log,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    log.close()
    address = f"http://127.0.0.1:{port}/"

    def answers() -> bool:
        assert process.poll() is None, (folder / "server.log").read_text()[-2000:]
        try:
            return httpx.get(address + "api").status_code == 200
        except httpx.TransportError:
            return False

    try:
        wait_until(answers, 180, "the server answers")
        yield address
    finally:
        stop(process)


def in_kernel(address: str, code: str) -> str:
    """Execute code in a new kernel of the server and return what it prints."""
    headers = {"Authorization": f"token {TOKEN}"}
    kernel = httpx.post(f"{address}api/kernels", headers=headers, json={}, timeout=60).json()
    socket = websocket.create_connection(
        f"{address.replace('http', 'ws', 1)}api/kernels/{kernel['id']}/channels",
        header=[f"Authorization: token {TOKEN}"],
        timeout=60,
    )
    asked = uuid.uuid4().hex
    header = {"msg_id": asked, "msg_type": "execute_request", "session": uuid.uuid4().hex}
    message = {
        "channel": "shell",
        "header": {**header, "username": "", "version": "5.3", "date": ""},
        "parent_header": {},
        "metadata": {},
        "content": {"code": code, "silent": False},
        "buffers": [],
    }
    socket.send(json.dumps(message))
    said = ""
    while True:
        heard = json.loads(socket.recv())
        if heard["parent_header"].get("msg_id") != asked:
            continue
        content = heard["content"]
        said += content.get("text", "") + "\n".join(content.get("traceback", []))
        if content.get("execution_state") == "idle":
            socket.close()
            return said


def test_on_a_laptop_the_catalog_is_in_the_server_and_belongs_to_its_user(
    tmp_path: Path,
) -> None:
    with jupyter_server(tmp_path) as address:
        refused = httpx.get(address + "cid/api/v1/whoami")
        assert (refused.status_code, refused.json()["error"]) == (401, "NotLoggedIn")
        catalog = cid.connect(address + "cid/", TOKEN)
        assert (catalog.whoami().home, catalog.whoami().staff) == ("laptop", True)
        catalog.session.send("POST", "projects", {"name": "mine", "team": "me", "limit": 10**8})
        path = tmp_path / "ramp.tif"
        tifffile.imwrite(path, np.arange(4096, dtype=np.uint16).reshape(64, 64))
        image = catalog.upload(path, "mine")[0]
        assert int(image.to_xarray().sum()) == 4096 * 4095 // 2

        manifest = world.MANIFEST | {"outputs": {"metrics": ["sum", "sigma"]}}
        catalog.publish(manifest, json.dumps(SUM))
        run = catalog.run("count-things", image, sigma=2)
        run.wait(timeout=300, progress=False)
        assert run.metrics == {"sum": 4096 * 4095 // 2, "sigma": 2.0}
        code = "import cid_client as cid; print(cid.connect().project('mine').role)"
        assert in_kernel(address, code) == "manager\n"
        catalog.close()
    assert "embedded catalog for one trusted user" in (tmp_path / "server.log").read_text()


def test_in_a_hub_users_server_it_only_says_where_the_service_is(tmp_path: Path) -> None:
    hub = {"JUPYTERHUB_USER": "researcher", "CID_URL": "http://127.0.0.1:1/services/cid/"}
    with jupyter_server(tmp_path, **hub) as address:
        headers = {"Authorization": f"token {TOKEN}"}
        where = httpx.get(address + "cid/api/v1/where", headers=headers)
        assert json.loads(where.text) == {"home": "pointer", "service": "/services/cid/"}
        assert httpx.get(address + "cid/api/v1/where").status_code in (302, 403)
        assert httpx.get(address + "cid/api/v1/projects", headers=headers).status_code == 404
    assert not (tmp_path / "data" / "cid").exists()
