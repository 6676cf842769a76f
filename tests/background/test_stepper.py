"""The thread that begins next steps: a run at which it stumbles keeps no other away."""

from __future__ import annotations

import logging

import pytest

from cid_server_ext.background.stepper import Stepper
from cid_server_ext.core.steps import follow
from cid_server_ext.db.session import Sessions


def test_a_defect_at_one_run_keeps_no_other_away(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[int] = []
    heard: list[int] = []

    def begin(session: object, run_id: int) -> object:
        asked.append(run_id)
        return 1 // (run_id - 1)

    monkeypatch.setattr(follow, "due", lambda session: [1, 2])
    monkeypatch.setattr(follow, "begin", begin)
    stepper = Stepper(sessions, lambda: heard.append(len(asked)))
    with caplog.at_level(logging.ERROR):
        assert (stepper.look(), stepper.look()) == (1, 1)
    assert asked == [1, 2, 2]
    assert heard == [2, 3]
    assert caplog.messages == ["what follows run 1"]
