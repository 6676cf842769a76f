"""What the conductor and the workers log opens nothing, as what the service logs."""

from __future__ import annotations

import logging
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest

from cid_server_ext.runners import inside

SECRET = "s3cr3t-0123456789abcdef"
BREAKS = f"""
import logging, sys
from cid_server_ext.runners import conductor
def run(self):
    logging.getLogger("distributed.scheduler").warning("GET /cid/data/{SECRET}/thumbnail.png")
    logging.getLogger("cid.conductor").warning("postgresql://cid:{SECRET}@db/cid")
    raise RuntimeError("Authorization: CID-Run {SECRET}")
conductor.Conductor.run = run
sys.exit(conductor.main())
"""


def test_a_conductor_that_breaks_tells_no_secret(tmp_path: Path, empty_database: bytes) -> None:
    (tmp_path / "catalog.sqlite").write_bytes(empty_database)
    environ = {"CID_DATABASE": f"sqlite:///{tmp_path}/catalog.sqlite", "CID_URL": "http://x/"}
    broken = subprocess.run(
        [sys.executable, "-c", BREAKS], env=environ, capture_output=True, text=True, timeout=60
    )
    told = broken.stdout + broken.stderr
    assert broken.returncode == 1
    assert "/cid/data/…/thumbnail.png" in told
    assert "Traceback" in told
    assert SECRET not in told


def test_a_worker_tells_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    written = StringIO()
    handler = logging.StreamHandler(written)
    dask = logging.getLogger("distributed.worker")
    dask.addHandler(handler)

    def fail() -> None:
        dask.error("Compute Failed: CID-Run %s", SECRET)
        raise RuntimeError("nothing of it is done here")

    monkeypatch.setattr(inside, "secede", fail)
    with pytest.raises(RuntimeError, match="nothing of it"):
        inside.execute("a-run", 1)
    dask.removeHandler(handler)
    assert "Compute Failed: CID-Run …" in written.getvalue()
    assert SECRET not in written.getvalue()
