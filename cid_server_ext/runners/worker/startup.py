"""Runs in a Python kernel before the notebook: cuts endless prints, and has it end in order.

A gigabyte that a cell prints is never held, nor sent; the worker cuts what comes all the same. A
thread that speaks its last words while another closes what carries them would wait for seconds:
the first comes before the second. Where a kernel crashes is told in the log of the run: in the
notebook nobody would be left to write it. This is copied into the kernel's own IPython folder,
uses nothing but the kernel, and leaves no name there.
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


def _orderly() -> None:
    import atexit

    from ipykernel.kernelapp import IPKernelApp

    control = IPKernelApp.instance().control_thread

    def last_words() -> None:
        if control is not None and control.is_alive():
            control.stop()
            control.join(5)

    atexit.register(last_words)  # the last to be registered is the first to be called


def _telling() -> None:
    import faulthandler
    import sys

    faulthandler.enable(sys.stderr._original_stdstream_copy)  # not what is caught for the notebook


for _step in (_quiet, _orderly, _telling):
    try:
        _step()
    except Exception as _error:  # another kernel, another version: the worker does what it can
        print(f"the kernel is not quite ours: {_error}")
del _quiet, _orderly, _telling, _step
