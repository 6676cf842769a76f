"""What a command of `cid` is: a name, its arguments, and what it does."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

DONE, REFUSED, USAGE, LATER, STOPPED = 0, 1, 2, 75, 130  # exit codes; 75: try again


@dataclass(frozen=True, slots=True)
class Command:
    """One row of the table in `cid_client.cli`; `run` returns the exit code or raises CidError."""

    name: str
    help: str
    arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
