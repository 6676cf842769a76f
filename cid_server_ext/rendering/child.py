"""The child that makes one page: a notebook on its standard input, HTML on its standard output.

It has bounds of memory and time, no file of the service and no network.
"""

from __future__ import annotations

import resource
import sys

from ..ingest import sandbox

MEMORY, SECONDS, LARGEST = 2 << 30, 30, 24 << 20
REFUSED = 3  # it is no notebook that can be shown


def main() -> int:
    """Convert, or say in one line why not."""
    from . import convert  # all that it needs is loaded before it is closed in

    source = sys.stdin.buffer.read()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sandbox.enter(sandbox.Room())
    try:
        made = convert.page(source.decode("utf-8")).encode()
    except MemoryError:
        print("it needs too much memory", file=sys.stderr)
        return REFUSED
    except Exception as error:
        print(f"{type(error).__name__}: it is no notebook that can be shown", file=sys.stderr)
        return REFUSED
    if len(made) > LARGEST:
        print("its page would be too large", file=sys.stderr)
        return REFUSED
    sys.stdout.buffer.write(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
