"""A decision was stored, and the server died before it could say so: the same key finds it again (R5, R6)."""

import http.client
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from sqlalchemy import select

from okrgate.approvals.models import Round, SignoffRow
from okrgate.database import db
from okrgate.stages import settling
from tests.faults.serving import PATIENCE, Server, Wire
from tests.faults.whole import assert_whole
from tests.integration.conftest import Arrive
from tests.integration.journey.company import Company

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
DEADLY = Path(__file__).parent / "deadly"


@pytest.fixture
def company(arrive: Arrive) -> Company:
    return arrive("half approved")


@pytest.fixture
def mortal(
    company: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Server, Path]]:
    """Yield a server that dies once, right after it stored a decision, as soon as the file is there."""
    armed = tmp_path / "armed"
    monkeypatch.setenv("PYTHONPATH", str(DEADLY))
    monkeypatch.setenv("OKRGATE_TEST_ARMED", str(armed))
    server = Server(db.engine.url.render_as_string(hide_password=False), tmp_path)
    yield server, armed
    server.end()


def _send(server: Server, wire: Wire, path: str, form: dict[str, str]) -> tuple[int, str | None]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    headers = {
        "Cookie": f"okrgate={wire.cookie}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    try:
        connection.request("POST", path, urlencode({**form, "csrf_token": wire.token}), headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.getheader("Location")
    finally:
        connection.close()


def _stored(company: Company) -> tuple[list[int], list[tuple[str, str]], list[str | None]]:
    keys = select(SignoffRow.key).where(SignoffRow.person_id == company.ids["Vik"])
    mails = company.mails()
    return [one.id for one in company.receipts()], mails, list(db.session.scalars(keys))


def test_what_was_stored_is_found_again_by_its_key(
    company: Company, mortal: tuple[Server, Path]
) -> None:
    server, armed = mortal
    found = db.session.scalars(select(Round).where(Round.closed_at.is_(None))).one()
    path, digest, vik = f"/approvals/{found.id}", found.digest, Wire.of(company, "Vik")
    form = {"decision": "approved", "digest": digest, "key": "once"}
    db.session.remove()
    db.engine.dispose()
    server.start()
    server.wait()
    armed.touch()

    with pytest.raises((OSError, http.client.HTTPException)):
        _send(server, vik, path, form)

    assert not armed.exists()
    assert_whole()
    before = _stored(company)
    assert before[2] == ["once"]
    db.session.remove()
    server.wait()  # another of its processes has taken the place of the dead one
    answers = [_send(server, vik, path, form) for _ in range(2)]
    assert answers[0] == answers[1]
    assert answers[0][0] == 303
    receipt = re.fullmatch(r"/receipts/(\d+)(\?\S*)?", answers[0][1] or "")
    assert receipt is not None
    assert int(receipt[1]) in before[0]
    assert _stored(company)[2] == ["once"]
    assert _stored(company)[0][: len(before[0])] == before[0]
    settling.sweep()  # as the worker does each minute: the move that follows is taken now at the latest
    assert company.project().stage == "kick_off"
    assert_whole()
