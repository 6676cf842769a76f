"""A child on a machine of a Dask cluster: what holds it there, and what speaks with it from here.

A Dask worker is no sandbox, so it opens no foreign file. It holds a limited child of its own
nursery, as this process would, and passes on what the child says, which stays data.
"""

from __future__ import annotations

import asyncio
import threading
import time
from asyncio import CancelledError
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from distributed import Client, Future

from .children import Child
from .endings import Lost
from .limits import Limits

SILENCE = 120.0  # seconds without a question, after which a child is let go of
BREATH = 0.5  # seconds that a question waits for an answer there
AWAY = 30.0  # seconds more without an answer, after which whoever was asked is gone
MOST = 256 << 10  # bytes passed on at once
MARKS = ("plan", "done", "error")  # after which a child waits for us


class Bench:
    """One limited child. It is an actor: it lives on one worker and ends with it."""

    def __init__(self, limits: dict[str, Any]) -> None:
        formats = tuple(limits.pop("formats", ()))
        self._child = Child(Limits(**limits, formats=formats))
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="import child")
        self._asked = time.monotonic()
        self._over = threading.Event()
        threading.Thread(target=self._watch, name="import watch", daemon=True).start()

    async def talk(self, say: dict[str, Any] | str | None, seconds: float) -> dict[str, Any]:
        """Give a job or the word "go", and return what the child says within these seconds."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._talk, say, seconds)

    async def end(self) -> None:
        """End the child."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._end)

    def _talk(self, say: dict[str, Any] | str | None, seconds: float) -> dict[str, Any]:
        self._asked = time.monotonic()
        if isinstance(say, dict):
            self._child.give(say)
        elif say is not None:
            self._child.go()
        before, heard = self._child.heard, list[dict[str, Any]]()
        told: dict[str, Any] = {"heard": heard, "ended": False, "code": None, "astray": False}
        try:
            while message := self._child.hear(0.002 if heard else seconds):
                heard.append(message)
                if not message.keys().isdisjoint(MARKS) or self._child.heard - before > MOST:
                    break
            if message is None:
                told |= {"ended": True, "code": self._child.ended()}
        except (ValueError, OSError):
            told["astray"] = True
        return told | {"nbytes": self._child.heard - before}

    def _end(self) -> None:
        if not self._over.is_set():
            self._over.set()
            self._child.close()

    def _watch(self) -> None:
        """End the child of somebody who asks no more."""
        while not self._over.wait(SILENCE / 10):
            if time.monotonic() - self._asked > SILENCE:
                self._thread.submit(self._end).result()
        self._thread.shutdown(wait=False)


class Distant:
    """A child far from here, with what a Worker uses of one here."""

    def __init__(
        self,
        client: Client,
        future: Future,
        actor: Any,
        machine: str,
        moved: Callable[[Any], Any],
        freed: Callable[[], None],
    ) -> None:
        self.heard = 0
        self._client, self._future, self._actor, self._machine = client, future, actor, machine
        self._moved, self._freed = moved, freed
        self._say: dict[str, Any] | str | None = None
        self._said: deque[dict[str, Any]] = deque()
        self._code: int | None = None
        self._ended = self._closed = False

    def give(self, job: dict[str, Any]) -> None:
        """Give it a job with the next question; paths are those of its machine."""
        self._say = {key: self._moved(value) for key, value in job.items()}

    def go(self) -> None:
        """Let it write."""
        self._say = "go"

    def hear(self, seconds: float) -> dict[str, Any] | None:
        """Return the next message, {} when nothing came, None when it has ended; or raise Lost."""
        if not self._said and not self._ended:
            self._ask()
        if self._said:
            return self._said.popleft()
        return None if self._ended else {}

    def ended(self) -> int | None:
        """Return its exit code, as its machine told it."""
        return self._code

    def close(self) -> None:
        """Let go of it; its machine ends it."""
        if self._closed:
            return
        self._closed = True
        try:
            self._answer("end")
        except Lost:
            pass  # its machine ends it by itself, or has ended
        finally:
            self._future.release()
            self._freed()

    def _ask(self) -> None:
        say, self._say = self._say, None
        told = self._answer("talk", say, BREATH)
        self.heard += told["nbytes"]
        self._said.extend(told["heard"])
        self._ended, self._code = told["ended"], told["code"]
        if told["astray"]:
            raise ValueError("not a message")

    def _answer(self, question: str, *words: Any) -> Any:
        """Return what the bench answers, or raise Lost as soon as it cannot any more."""
        give_up = time.monotonic() + AWAY
        if self._client.status != "running":
            raise Lost(died=False)
        try:
            with self._client.as_current():
                asked = getattr(self._actor, question)(*words)
            while True:
                try:
                    return asked.result(2 * BREATH)
                except TimeoutError:
                    here = self._machine in (self._machines() or ())
                    if not here or time.monotonic() > give_up:
                        raise
        except (Exception, CancelledError) as error:  # Dask says in many ways that one is gone
            raise Lost(died=self._machines() is not None) from error

    def _machines(self) -> set[str] | None:
        """Return the machines that the cluster has now, or None when it does not answer."""
        if self._client.status != "running":
            return None
        try:
            asked, client = self._client.scheduler.identity, self._client
            return set(client.sync(asked, n_workers=-1, callback_timeout=5)["workers"])
        except (Exception, CancelledError):
            return None
