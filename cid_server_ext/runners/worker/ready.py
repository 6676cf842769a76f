"""How a worker speaks with a kernel: by sockets in its folder, and as soon as it says it is ready.

Ports that one process has chosen may be another's a moment later, and any process of the machine
can knock at them. And Jupyter waits for a fifth of a second of silence before it begins.
"""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable
from queue import Empty
from typing import Any

from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.manager import KernelManager

Heard = Callable[..., Awaitable[dict[str, Any]]]

LAUNCHER = "ipykernel_launcher"
TRIES = 10
REPLY_SECONDS, IDLE_SECONDS = 1.0, 0.2  # what is said before we listen is not heard: ask again


LONGEST = 100  # bytes of a socket's address, with a number behind it
SOCKETS = ".kernel"


def prepare(manager: KernelManager, folder: str | None) -> None:
    """Have a manager speak so; by ports where the folder is too deep, or the kernel is not ours."""
    manager.client_factory = PromptClient
    address = os.path.join(folder or "", SOCKETS)
    if folder and len(os.fsencode(address)) < LONGEST and LAUNCHER in manager.kernel_spec.argv:
        manager.transport, manager.ip = "ipc", address


class PromptClient(AsyncKernelClient):
    """Both channels work when the reply to a question has come, and the kernel is idle after it."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Return when the kernel can be asked to execute; RuntimeError: it died, or took longer.

        A kernel that does not say that it is idle is waited for as Jupyter does.
        """
        for _ in range(TRIES):
            if await self._idle():
                return
        await super().wait_for_ready(timeout)

    async def _idle(self) -> bool:
        asked = self.kernel_info()
        try:
            reply = await self._answer(self.get_shell_msg, asked, REPLY_SECONDS)
            while True:
                said = await self._answer(self.get_iopub_msg, asked, IDLE_SECONDS)
                if said["content"].get("execution_state") == "idle":
                    break
        except Empty:
            return False
        self._handle_kernel_info_reply(reply)
        return True

    async def _answer(self, heard: Heard, asked: str, seconds: float) -> dict[str, Any]:
        """Return what comes next that answers this question; raise Empty when the time is up."""
        give_up = time.monotonic() + seconds
        while True:
            message = await heard(timeout=max(0.0, give_up - time.monotonic()))
            if message["parent_header"].get("msg_id") == asked:
                return message
