"""What reading a foreign file may cost is the operator's to say."""

from __future__ import annotations

import pytest

from cid_server_ext.app import CidApp


def test_limits_come_from_traits_or_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CID_IMPORT_FORMATS", "TIFF, PNG,")
    monkeypatch.setenv("CID_IMPORT_MEMORY", "1000")
    app = CidApp(import_seconds=5.0)
    assert (app.import_formats, app.import_memory) == (["TIFF", "PNG"], 1000)
    assert (app.import_seconds, app.import_cpu_seconds) == (5.0, 4 * 3600)
