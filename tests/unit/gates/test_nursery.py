"""Work in a process of its own: it costs little, and what makes those processes may end at any time."""

import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path
from threading import Thread

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


def dies_in_its_answer(_: object) -> None:
    """Begin an answer that is never finished, as a process does that the system ends meanwhile."""
    for one in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            if str(one.readlink()).startswith("socket:"):
                os.write(int(one.name), (1000).to_bytes(8) + b"abc")
    os.kill(os.getpid(), signal.SIGKILL)


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


def test_a_copy_that_dies_in_its_answer_has_ended() -> None:
    with pytest.raises(nursery.Ended) as found:
        nursery.work(dies_in_its_answer, None, prepare=os.getpid, is_awaited=lambda: True)

    assert found.value.signal == signal.SIGKILL


@pytest.mark.parametrize("size", [1, 5_000_000])
def test_an_origin_that_does_not_move_is_given_up(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nursery, "_SOON", 0.1)
    _, first = in_child(parents, None, PATIENCE)
    os.kill(first, signal.SIGSTOP)
    said: list[object] = []

    def ask() -> None:
        try:
            nursery.work(len, b"x" * size, prepare=os.getpid, is_awaited=lambda: False)
        except nursery.GivenUp as end:
            said.append(end)

    asking = Thread(target=ask, daemon=True)
    asking.start()
    asking.join(PATIENCE)

    assert len(said) == 1
    assert not is_alive(first)
    assert in_child(len, "four", PATIENCE) == 4


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
