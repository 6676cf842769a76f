"""The acquisition agent through a bad day: 500 files arrive while it is killed 20 times.

The network is away for a while, one file grows, one folder is renamed. The test of this is run at
that scale: each file is in the catalog once with its own checksum, the acquisition folder's bytes
and times are unchanged, nothing stays reserved. The limit is the time until all of it is there.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from _harness import Bench

HERE = Path(__file__).parents[1]
TEST = "tests/client/agent/test_agent_killed.py::test_killed_cut_off_and_with_files_that_grow_and"
FILES, KILLS = 500, 20
MINUTES = 15.0
TOLD = re.compile(r"(\d+) files, (\d+) kills: ([\d.]+) s, (\d+) of (\d+) there once and unchanged")


def main() -> int:
    """Run the test at its whole scale and tell what it found."""
    bench = Bench("agent")
    name = f"{TEST}_move_each_file_is_there_once"
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", name, "-q", "-s", "-p", "no:cacheprovider"],
        cwd=HERE,
        env={**os.environ, "AGENT_FILES": str(FILES), "AGENT_KILLS": str(KILLS)},
        capture_output=True,
        text=True,
        check=False,
    )
    told = TOLD.search(ran.stdout)
    if told is None:
        print(ran.stdout[-2000:], ran.stderr[-2000:])
        bench.speed("files there once, unchanged", 0, FILES + 2, "files", "that arrived", 1.0)
        return bench.finish()
    files, kills, seconds, right, wanted = (float(word) for word in told.groups())
    bench.speed("files there once, unchanged", right, wanted, "files", "that arrived", 1.0)
    bench.speed("kills outlived", kills, KILLS, "kills", "that were meant", 1.0)
    bench.seconds("until all of it is there", seconds, 60 * MINUTES, "limit", 1.0)
    return bench.finish() or int(files != FILES)


if __name__ == "__main__":
    sys.exit(main())
