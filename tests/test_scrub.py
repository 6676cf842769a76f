from __future__ import annotations

import logging

import pytest

from cid_server_ext.scrub import Scrubbed, scrubbed

SECRET = "s3cr3t-0123456789abcdef"


@pytest.mark.parametrize(
    "line",
    [
        f"404 GET /services/cid/data/{SECRET}/image.ome.zarr/0 (a@127.0.0.1) 3ms",
        f"connect postgresql+psycopg://cid:{SECRET}@db/cid failed",
        f"{{'Authorization': 'token {SECRET}'}}",
        f"Authorization: CID-Run {SECRET}",
        f"Authorization: Bearer {SECRET}",
        f'"Cookie": "jupyterhub-services={SECRET}; _xsrf={SECRET}"',
        f"Set-Cookie: a={SECRET}; Path=/",
        f"GET /services/cid/?token={SECRET}&x=1",
        f"worker shows CID-Run {SECRET}",
        f"duplicate key value\nDETAIL:  Key (project_id, path)=(1, {SECRET}) already exists.",
    ],
)
def test_secrets_are_taken_out(line: str) -> None:
    assert SECRET not in scrubbed(line)
    assert "…" in scrubbed(line)


@pytest.mark.parametrize(
    "line",
    [
        "400 PATCH /services/cid/api/v1/images/034be36d-9805-4a0d-9649-0a2ff1704079 (a@::1) 3ms",
        "cid: the database has schema none, this release needs 0002: run `jupyter cid migrate`",
        "the token lacks the scope custom:cid:read",
        "http://127.0.0.1:8000/services/cid/",
    ],
)
def test_all_else_is_left(line: str) -> None:
    assert scrubbed(line) == line


def test_a_traceback_is_scrubbed_too() -> None:
    try:
        raise ValueError(f"/data/{SECRET}/x")
    except ValueError as error:
        told = (ValueError, error, error.__traceback__)
        record = logging.LogRecord("a", 40, __file__, 1, "broke %s", (f"token={SECRET}",), told)
    text = Scrubbed(logging.Formatter("%(levelname)s %(message)s")).format(record)
    assert text.startswith("ERROR broke token=…")
    assert "Traceback" in text
    assert SECRET not in text
