"""`cid agent` as a process that the test service takes for a person: PERSON, then its arguments.

DIES_ONCE in the environment is a file: where it is absent, the agent makes it and dies at once when
the catalog has opened a deposit, before the agent could write down which.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import httpx
from speaking import As

from cid_client import cli
from cid_client.agent import running
from cid_client.wire.session import Session


class Dying(As):
    """Passes on what is asked, and dies with the first deposit that is open."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = super().handle_request(request)
        if request.method == "POST" and request.url.path.endswith("/deposits"):
            mark = Path(os.environ["DIES_ONCE"])
            if not mark.exists():
                answer.read()
                mark.write_bytes(answer.content)
                os.kill(os.getpid(), signal.SIGKILL)
        return answer


def main() -> int:
    person = sys.argv[1]
    acting = Dying if "DIES_ONCE" in os.environ else As

    def session(access: Any) -> Session:
        return Session(access, transport=acting(person))

    running.Session = session
    return cli.main(["agent", *sys.argv[2:]])


if __name__ == "__main__":
    sys.exit(main())
