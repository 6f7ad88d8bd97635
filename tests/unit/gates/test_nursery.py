"""Work in a process of its own: it costs little, and what makes those processes may end at any time."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from okrgate.gates import nursery
from okrgate.gates.checks import in_child
from tests.machine import PATIENCE


def parents(_: object) -> tuple[int, int]:
    """Return the process that works and the one that was copied for it."""
    known = Path(f"/proc/{os.getppid()}/stat").read_text(encoding="ascii")
    return os.getpid(), int(known.rpartition(")")[2].split()[1])


def wait_for(path: str) -> None:
    Path(path).write_text(str(os.getpid()), encoding="ascii")
    time.sleep(2 * PATIENCE)


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_each_piece_of_work_has_a_process_and_all_have_one_origin() -> None:
    (first, origin), (second, same) = (in_child(parents, None, PATIENCE) for _ in range(2))

    assert len({os.getpid(), first, second, origin}) == 4
    assert same == origin


def test_another_origin_is_begun_where_the_first_is_gone() -> None:
    _, first = in_child(parents, None, PATIENCE)
    os.kill(first, signal.SIGKILL)

    _, second = in_child(parents, None, PATIENCE)

    assert second != first


def test_it_ends_when_nobody_asks_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nursery, "IDLE", 0.01)
    monkeypatch.setattr(nursery, "_nursery", mine := nursery._Nursery())
    assert in_child(len, "four", PATIENCE) == 4
    assert mine._process is not None
    assert mine._process.wait(PATIENCE) == 0

    assert in_child(len, "seven", PATIENCE) == 5
    mine.end()


def test_a_copy_of_this_process_has_an_origin_of_its_own() -> None:
    _, mine = in_child(parents, None, PATIENCE)
    here, there = os.pipe()
    copy = os.fork()
    if copy == 0:
        os.write(there, str(in_child(parents, None, PATIENCE)[1]).encode())
        nursery._nursery.end()
        os._exit(0)
    os.waitpid(copy, 0)

    assert int(os.read(here, 20)) != mine
    assert in_child(parents, None, PATIENCE)[1] == mine
    os.close(here)
    os.close(there)


def test_work_ends_with_whoever_asked_for_it(tmp_path: Path) -> None:
    noted = tmp_path / "process"
    asking = os.fork()
    if asking == 0:
        in_child(wait_for, str(noted), PATIENCE)
        os._exit(0)
    until = time.monotonic() + PATIENCE
    while not (noted.exists() and noted.read_text()):
        assert time.monotonic() < until
        time.sleep(0.02)
    worker = int(noted.read_text())
    assert is_alive(worker)

    os.kill(asking, signal.SIGKILL)
    os.waitpid(asking, 0)

    while is_alive(worker):
        assert time.monotonic() < until
        time.sleep(0.02)


def test_many_at_once_get_their_own_answers() -> None:
    answers: dict[int, object] = {}

    def ask(number: int) -> None:
        answers[number] = in_child(abs, -number, PATIENCE)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(PATIENCE)

    assert answers == {number: number for number in range(12)}
