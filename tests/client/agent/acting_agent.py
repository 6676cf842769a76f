"""`cid agent` as a process that the test service takes for a person: PERSON, then its arguments."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from speaking import As

from cid_client import cli
from cid_client.agent import running
from cid_client.wire.session import Session


def main() -> int:
    person = sys.argv[1]

    def session(access: Any) -> Session:
        return Session(access, transport=As(person))

    running.Session = session
    return cli.main(["agent", *sys.argv[2:]])


if __name__ == "__main__":
    sys.exit(main())
