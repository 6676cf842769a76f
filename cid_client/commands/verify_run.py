"""cid verify-run: is a saved record of a run what the catalog signed?"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ..catalog import connect
from ..errors import BadInput
from ..runs.provenance import read
from .command import DONE, Command


def arguments(command: argparse.ArgumentParser) -> None:
    """Say what can be given."""
    command.add_argument("file", type=Path, help="as run.provenance().save(FILE) wrote it")
    command.add_argument("--keys", type=Path, metavar="FILE", help="public keys, to ask nobody")
    command.add_argument("--url", help="of the catalog, instead of CID_URL")
    command.add_argument("--token", help="instead of CID_TOKEN")


def run(given: argparse.Namespace) -> int:
    """Say what it is a record of, once its signature was found good."""
    found = read(given.file)
    keys = _keys(given.keys) if given.keys else _asked(given.url, given.token)
    record = found.verify(keys).record
    template = record["template"]
    print(f"good: run {found.run}, {record['run']['state']}, sealed {found.sealed_at}")
    print(f"{template['name']} {template['version']} by {record['run']['person']}")
    for given_in in record["inputs"]:
        print(f"in   {given_in['sha256']}  {given_in['name']}")
    for made in record["outputs"]:
        print(f"out  {made['sha256']}  {made['name']}")
    return DONE


def _keys(path: Path) -> list[dict[str, Any]]:
    try:
        return list(json.loads(path.read_text("utf-8"))["keys"])
    except (ValueError, KeyError, TypeError):
        raise BadInput(f"{path} holds no public keys: save the answer of `keys`") from None


def _asked(url: str | None, token: str | None) -> list[dict[str, Any]]:
    catalog = connect(url, token)
    try:
        return list(catalog.session.get("keys")["keys"])
    finally:
        catalog.close()


COMMAND = Command("verify-run", "check a saved record of a run", arguments, run)
