"""Commands of ours that run beside this one, and end with it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping

_PATIENCE = 20.0


class Children:
    """Processes that this one started and has to end."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        """Remember the variables that they get besides ours."""
        self._environment = {**os.environ, **(environment or {})}
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start `okrgate` with these arguments, in a group of its own so that Ctrl-C reaches only us."""
        child = subprocess.Popen(  # noqa: S603 our own command, no shell
            [sys.executable, "-m", "okrgate.commands", *arguments],
            env=self._environment,
            start_new_session=True,
        )
        self._running.append(child)
        return child

    def wait_for_any(self) -> int:
        """Wait until one of them ends; return its exit code."""
        while True:
            for child in self._running:
                code = child.poll()
                if code is not None:
                    return code
            time.sleep(0.2)

    def end(self) -> None:
        """Ask all of them to finish what is in hand; end those that do not listen."""
        for child in self._running:
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + _PATIENCE
        for child in self._running:
            try:
                child.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self._running.clear()
