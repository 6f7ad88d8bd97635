"""Do a piece of work in a process of its own, which may crash or hang without harm to anybody.

To begin a Python and to load the code takes longer than most of the work. So each process that has such work keeps
one other process at hand, begun with nothing of its memory, that has loaded the code and never does any work itself:
for each piece of work it makes a copy of itself. A copy ends with its work, and with whoever asked for it.
"""

import atexit
import gc
import multiprocessing
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any

IDLE = 600.0
_GLANCE = 0.25
_BY_HEART = ("okrgate.gates.examining", "okrgate.gates.proving")
# Memory that was never written holds rubbish there: an engine that reads it fails where it is tried, not where it serves.
_STRICT = {"MALLOC_PERTURB_": "85"}
_BEGIN = (
    "import sys; sys.path[:] = {path!r}; "
    "from okrgate.gates import nursery; nursery.keep({control}, {idle})"
)


class Ended(Exception):
    """The process that worked ended without an answer; `signal` is what ended it, 0 if it ended itself."""

    def __init__(self, status: int) -> None:
        """Take what the system says of its end."""
        super().__init__()
        self.signal = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


class GivenUp(Exception):
    """Nobody waits for the answer any more."""


class _Gone(Exception):
    """The process that makes the copies is no more."""


def work(
    function: Callable[[Any], Any],
    given: Any,
    *,
    prepare: Callable[[], object],
    is_awaited: Callable[[], bool],
) -> Any:
    """Return what a function of a module returns in a process of its own, where `prepare` is called before it.

    Raises Ended when that process ends without an answer, and GivenUp, after ending it, as soon as nobody awaits one.
    """
    for last in (False, True):
        try:
            return _work(
                _nursery.begin(function.__module__), (prepare, function, given), is_awaited
            )
        except _Gone:
            # It may have been idle for long, or the machine was short of memory.
            if last:
                raise Ended(0) from None
    raise AssertionError("unreachable")


def _work(
    started: tuple[Connection, Connection], asked: Any, is_awaited: Callable[[], bool]
) -> Any:
    answer, fate = started
    with answer, fate:
        try:
            answer.send(asked)
            while not answer.poll(_GLANCE):
                if not is_awaited():
                    fate.send_bytes(b"end")
                    with suppress(_Gone):
                        _status(fate)
                    raise GivenUp
            return answer.recv()
        except (EOFError, OSError):
            raise Ended(_status(fate)) from None


def _status(fate: Connection) -> int:
    try:
        return int(fate.recv_bytes())
    except (EOFError, OSError):
        raise _Gone from None


class _Nursery:
    """This process's end of the one that makes the copies."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self, module: str) -> tuple[Connection, Connection]:
        """Return the ends of a new copy: what it answers, and what becomes of it."""
        answer, its_answer = multiprocessing.Pipe()
        fate, its_fate = multiprocessing.Pipe()
        with its_answer, its_fate, self._lock:
            fate.send_bytes(module.encode())
            for _attempt in range(2):
                with suppress(ConnectionError):
                    control = self._control or self._start()
                    socket.send_fds(control, [b"!"], [its_answer.fileno(), its_fate.fileno()])
                    break
                self._end()
        return answer, fate

    def _start(self) -> socket.socket:
        self._end()
        control, theirs = socket.socketpair()
        begin = _BEGIN.format(path=sys.path, control=theirs.fileno(), idle=IDLE)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 our own code, no shell
                [sys.executable, "-c", begin],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=os.environ | _STRICT,
            )
        self._control = control
        return control

    def end(self) -> None:
        """End it with this process."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            self._process.wait()
            self._process = None

    def forget(self) -> None:
        """Leave it to the process that this one is a copy of."""
        self._lock = threading.Lock()
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            self._process.returncode = 0
            self._process = None


_nursery = _Nursery()
atexit.register(_nursery.end)
os.register_at_fork(after_in_child=_nursery.forget)


def keep(control: int, idle: float) -> None:
    """Make copies until nobody can ask for more, or nobody did for a while. The main part of a process of its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in _BY_HEART:
        import_module(name)
    with socket.socket(fileno=control) as asked:
        while select.select([asked], [], [], idle)[0]:
            message, given, _flags, _address = socket.recv_fds(asked, 1, 2)
            if not message:
                return
            answer, fate = (Connection(one) for one in given)
            with answer, fate:
                _learn(fate.recv_bytes().decode())
                if os.fork() == 0:
                    asked.close()
                    _mind(answer, fate)
            _bury()


def _bury() -> None:
    """Let those go that have ended; what became of the work was told by each."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _learn(module: str) -> None:
    """Load what the work needs once for all copies. Where that fails it fails again in the copy, which then tells."""
    if module not in sys.modules:
        with suppress(Exception):
            import_module(module)
        gc.collect()
        gc.freeze()


def _mind(answer: Connection, fate: Connection) -> None:
    """Let a copy of this process work; end it when nobody wants it, and tell how it ended."""
    alive, its_life = os.pipe()
    worker = os.fork()
    if worker == 0:
        fate.close()
        os.close(alive)
        _answer(answer)
    answer.close()
    os.close(its_life)
    if fate.fileno() in select.select([alive, fate.fileno()], [], [])[0]:
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
    status = os.waitpid(worker, 0)[1]
    with suppress(OSError):
        fate.send_bytes(str(status).encode())
    os._exit(0)


def _answer(answer: Connection) -> None:
    code = 1
    try:
        prepare, function, given = answer.recv()
        prepare()
        answer.send(function(given))
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
