"""A kernel's client that is ready when the kernel says so, not after 0.2 s of silence."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from queue import Empty
from typing import Any

from jupyter_client.asynchronous import AsyncKernelClient

Heard = Callable[..., Awaitable[dict[str, Any]]]

TRIES = 10
REPLY_SECONDS, IDLE_SECONDS = 1.0, 0.2  # what is said before we listen is not heard: ask again


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
