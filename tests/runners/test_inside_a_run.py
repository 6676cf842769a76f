"""What a run's notebook finds around it, through service, conductor, workers and commit."""

from __future__ import annotations

import httpx
import pytest
from processes import wait_until

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

# tile 2 of 16 and the following wait, so that progress is seen while they are under way
TILES = """
import os, pathlib, time
import cid_client, numpy as np
run = cid_client.current_run()

def brighter(tile, by, go):
    while tile.max() == 200 and not os.path.exists(go):
        time.sleep(0.05)
    assert tile.shape[0] <= 24
    return (tile.astype("uint16") + by).astype("uint16")

pixels = run.input.to_xarray()
made = run.map_tiles(brighter, pixels, size=16, overlap=4, by=n, go={go!r})
assert np.array_equal(made, pixels.values.astype("uint16") + n)
with run.client().as_current():
    run.outputs.metric("sum", int(pixels.data.sum().compute()))
run.outputs.image("brighter", made, source=run.input)
run.outputs.metric("secrets", sum("CID_RUN_KEY" in name for name in os.environ))
"""


def test_a_notebook_computes_tiles_on_the_cluster_and_its_progress_says_which(
    house, conduct, tmp_path
):
    go = tmp_path / "go"
    (uid,) = house.submit(house.template(TILES.format(go=str(go))), n=7)
    conduct()

    def under_way():
        now = house.run(uid)
        assert now["state"] not in ("failed", "cancelled"), now["error"]
        far = now["progress"]
        return far if far.get("tiles") == 16 and far["memory"] > 0 else None

    far = wait_until(under_way, 120, "tiles are told")
    assert far["tile"] < 16
    assert far["fraction"] < 1
    go.touch()
    run = house.ended(uid)
    assert run["state"] == "done", run["error"]
    assert run["metrics"] == {"sum": 40000, "secrets": 0}
    assert [image["name"] for image in run["outputs"]["images"]] == ["cell brighter"]
    used = run["usage"]
    assert used["workers"] >= 1
    assert used["bytes_read"] > 0
    assert used["bytes_written"] > 0
    assert used["peak_memory"] > 2**24
    assert used["cpu_seconds"] > 0
    assert used["wall_seconds"] > 0


TROUBLE = """
import os, sys
os.write(sys.__stderr__.fileno(), b"the driver is unwell\\n")
os.system("sleep 600 &")
print("one")
"""


@pytest.mark.parametrize(
    ("cell", "error", "state"),
    [
        ("1 / 0", "ZeroDivisionError", "failed"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "KernelDied", "failed"),
    ],
)
def test_every_end_brings_its_notebook_and_its_log(house, conduct, cell, error, state):
    (uid,) = house.submit(house.template(TROUBLE, cell))
    conduct()
    run = house.ended(uid)
    assert (run["state"], run["error"]["error"]) == (state, error)
    assert "one" in house.notebook(run)
    (log,) = [file for file in run["outputs"]["files"] if file["kind"] == "log"]
    file = house.service.ask("GET", f"files/{log['uid']}", "researcher").json()
    text = httpx.get(house.service.origin + file["url"], timeout=30).text
    assert f"the notebook ended: failed in cell {run['error']['cell']}: {error}" in text
    assert run["usage"]["wall_seconds"] > 0
