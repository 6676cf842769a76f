"""A process that is asked to end while its main thread holds the lock that ending needs."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

PROGRAM = """
import signal
import threading
from cid_server_ext.runners import endings

signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
over = threading.Event()
endings.told(over.set)
with over._cond:  # as inside Event.wait and Event.clear
    print("holds it", flush=True)
    signal.sigwait([signal.SIGUSR1])
over.wait(60)
print("ended" if over.is_set() else "stuck")
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends(number):
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "holds it\n"
    process.send_signal(number)
    process.send_signal(signal.SIGUSR1)
    told, errors = process.communicate(timeout=60)
    assert (told, process.returncode) == ("ended\n", 0), errors
