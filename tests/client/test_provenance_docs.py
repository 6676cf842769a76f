"""The snippets and commands of docs/user/provenance.md run, on a run of the real service."""

from __future__ import annotations

import itertools
import json
import re
import shlex
from pathlib import Path

import pytest
from deliveries import deliver, notebook, working
from processes import Service
from speaking import connected

import cid_client as cid
from cid_client import cli
from cid_client.commands import verify_run
from cid_server_ext.db.session import Sessions

unique = itertools.count()
PAGE = Path(__file__).parents[2] / "docs" / "user" / "provenance.md"
SNIPPETS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
COMMANDS = re.findall(r"^cid (.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


def test_every_snippet_and_command_runs(
    service: Service,
    service_database: Sessions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with service_database.begin() as session:
        made = working(session, f"provenance-page-{next(unique)}")
    files = {"table.csv": b"label\n1\n", "executed.ipynb": notebook()}
    assert deliver(service, made, files, {})["state"] == "done"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cid, "connect", lambda: connected(service, "viewer"))
    monkeypatch.setattr(verify_run, "connect", lambda *_: connected(service, "viewer"))
    kernel: dict[str, object] = {"RESULT": made.result, "RAW": made.image}
    assert len(SNIPPETS) == 4
    for snippet in SNIPPETS:
        exec(compile(snippet, PAGE.name, "exec"), kernel)
    assert kernel["run"].uid == made.run
    assert [image.uid for image in kernel["raw"].derived()] == [made.result]
    assert [run.uid for run in kernel["raw"].used_by] == [made.run]
    assert (tmp_path / "run.crate.zip").read_bytes().startswith(b"PK")
    keys = service.ask("GET", "keys", "viewer").json()
    (tmp_path / "keys.json").write_text(json.dumps(keys))
    assert len(COMMANDS) == 2
    for command in COMMANDS:
        assert cli.main(shlex.split(command)) == 0
        assert f"good: run {made.run}, done" in capsys.readouterr().out
    kernel["catalog"].close()
    changed = json.loads((tmp_path / "run.json").read_text())
    changed["record"]["parameters"]["sigma"]["value"] = 2
    (tmp_path / "run.json").write_text(json.dumps(changed))
    assert cli.main(["verify-run", "run.json", "--keys", "keys.json"]) == 1
    assert "was changed after it was sealed" in capsys.readouterr().err
