"""Runs in a Python kernel before the notebook: a cell that never stops printing is cut here.

So a gigabyte of it is never held, nor sent. It is copied into the kernel's own IPython folder, uses
nothing but the kernel, and leaves no name there; the worker cuts what comes all the same.
"""


def _quiet() -> None:
    from typing import Any

    from ipykernel.iostream import OutStream
    from IPython import get_ipython

    most = 9 * 2**20  # characters of a cell; the worker keeps fewer, and says that it cut
    said, write = [0], OutStream.write

    def limited(stream: Any, string: str) -> Any:
        if not isinstance(string, str):
            return write(stream, string)
        room = most - said[0]
        said[0] += len(string)
        if room > 0:
            write(stream, string[:room])
        return len(string)

    def begin(*_: object) -> None:
        said[0] = 0

    OutStream.write = limited
    get_ipython().events.register("pre_run_cell", begin)


try:
    _quiet()
except Exception as _error:  # another kernel, another version: then the worker alone cuts
    print(f"what cells print is not limited in the kernel: {_error}")
del _quiet
