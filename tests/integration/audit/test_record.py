"""The record: appended only, checked, read, taken away."""

import csv
import hashlib
import io
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from okrgate import clock
from okrgate.audit import chain, reading, service
from okrgate.audit.models import Entry
from okrgate.commands.record import audit as command
from okrgate.database import db, transaction
from okrgate.evidence import verify_export
from okrgate.logs import request_id
from okrgate.projects.models import Project
from okrgate.rulebooks import service as rulebooks
from okrgate.rulebooks.models import Process, RulebookVersion
from tests.factories import SHIPPED, Factory

COLUMNS = (
    "at",
    "action",
    "actor_id",
    "on_behalf_of_id",
    "project_id",
    "target",
    "reason",
    "details",
    "request_id",
    "prev_hash",
    "hash",
)


def a_project(submitter: int) -> int:
    """Put a project and its rules into the tables behind the services, which would write to the record."""
    rules = SHIPPED.read_text(encoding="utf-8")
    now = clock.now()
    with transaction() as session:
        process = Process(key="delivery", title="Delivery")
        session.add(process)
        session.flush()
        version = RulebookVersion(
            process_id=process.id,
            number=1,
            text=rules,
            sha256=hashlib.sha256(rules.encode()).hexdigest(),
            effective_from=now,
            published_at=now,
        )
        session.add(version)
        session.flush()
        project = Project(
            reference="OKR-1",
            title="T",
            process_id=process.id,
            rulebook_version_id=version.id,
            submitter_id=submitter,
            stage=rulebooks.rulebook(version.id).initial.id,
            stage_entered_at=now,
            created_at=now,
            changed_at=now,
        )
        session.add(project)
        session.flush()
        return project.id


@pytest.fixture
def record(app: Flask, factory: Factory) -> list[int]:
    """Write seven rows, each column filled, and return the numbers of two people."""
    people = [factory.person("Ada").id, factory.person("Eve").id]
    project = a_project(people[0])
    request_id.set("4f2a9c")
    with transaction():
        for number in range(7):
            entry = service.record(
                "project.moved",
                by=people[0],
                on_behalf_of=people[1],
                project_id=project,
                target=f"stage:{number}",
                reason="Because",
                details={"title": ["Old", "Nöw"], "count": number},
            )
            assert entry.seq == number + 1
    return people


def unprotected(statement: str, **values: object) -> None:
    """Change the table behind the application's back, as somebody with the database in hand could."""
    db.session.rollback()
    with db.engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.execute(text("PRAGMA defer_foreign_keys=ON"))
            for act in ("update", "delete"):
                connection.execute(text(f"DROP TRIGGER IF EXISTS audit_entries_no_{act}"))
        else:
            connection.execute(text("ALTER TABLE audit_entries DISABLE TRIGGER ALL"))
        connection.execute(text(statement), values)


def places() -> list[int]:
    return [one.seq for one in chain.verify()[1]]


def test_an_untouched_record_is_whole(record: list[int]) -> None:
    assert service.verify() == (7, [])
    assert service.head()[0] == 7


def flipped(value: object) -> object:
    """Change one character in the middle of a value."""
    if isinstance(value, int):
        return value ^ 1
    if not isinstance(value, str):
        return value + timedelta(microseconds=1)  # type: ignore[operator]
    middle = len(value) // 2
    other = "0" if value[middle] != "0" else "1"
    return value[:middle] + other + value[middle + 1 :]


@pytest.mark.parametrize("column", COLUMNS)
def test_a_changed_byte_is_found_where_it_is(record: list[int], column: str) -> None:
    query = text(f"SELECT {column} FROM audit_entries WHERE seq = 4")  # noqa: S608
    value = db.session.execute(query).scalar_one()
    changed = sum(record) - value if column in {"actor_id", "on_behalf_of_id"} else flipped(value)
    if column == "project_id":
        # Foreign keys would refuse an unknown one; nothing is just as wrong.
        changed = None

    unprotected(f"UPDATE audit_entries SET {column} = :value WHERE seq = 4", value=changed)  # noqa: S608

    assert 4 in places()
    assert set(places()) <= {4, 5}


def test_every_single_flipped_bit_of_the_text_is_found(app: Flask, record: list[int]) -> None:
    if db.engine.dialect.name != "sqlite":
        pytest.skip("the file is only ours to damage on SQLite")
    file = db.engine.url.database
    db.session.rollback()
    unprotected("UPDATE audit_entries SET reason = reason WHERE seq = 4")
    for column in ("at", "details", "hash", "target"):
        with sqlite3.connect(str(file)) as connection:
            before = connection.execute(
                f"SELECT CAST({column} AS BLOB) FROM audit_entries WHERE seq = 4"  # noqa: S608
            ).fetchone()[0]
            for bit in range(0, len(before) * 8, 5):
                damaged = bytearray(before)
                damaged[bit // 8] ^= 1 << (bit % 8)
                connection.execute(
                    f"UPDATE audit_entries SET {column} = CAST(? AS TEXT) WHERE seq = 4",  # noqa: S608
                    (bytes(damaged),),
                )
                connection.commit()
                found = places()
                db.session.rollback()
                assert 4 in found, (column, bit, bytes(damaged))
            connection.execute(
                f"UPDATE audit_entries SET {column} = CAST(? AS TEXT) WHERE seq = 4",  # noqa: S608
                (before,),
            )
    connection.close()
    assert places() == []


def test_a_removed_row_is_missed(record: list[int]) -> None:
    unprotected("DELETE FROM audit_entries WHERE seq = 4")

    assert places()[0] == 5


def test_a_row_slipped_in_is_found(record: list[int]) -> None:
    unprotected(
        "INSERT INTO audit_entries (seq, at, action, target, reason, details, request_id, prev_hash, hash)"
        " SELECT 8, at, action, target, reason, details, request_id, 'x', 'y' FROM audit_entries WHERE seq = 7"
    )

    assert set(places()) == {8}


def test_rows_cut_off_at_the_end_are_missed_with_the_head_of_before(record: list[int]) -> None:
    head = service.head()
    unprotected("DELETE FROM audit_entries WHERE seq > 5")

    assert chain.verify()[1] == []
    assert [one.seq for one in chain.verify(head)[1]] == [7]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET reason = 'Nicer' WHERE seq = 4",
        "DELETE FROM audit_entries WHERE seq = 4",
        "DELETE FROM audit_entries",
    ],
)
def test_the_database_refuses_to_change_the_record(record: list[int], statement: str) -> None:
    db.session.rollback()
    with pytest.raises(DBAPIError, match="append-only"), db.engine.begin() as connection:
        connection.execute(text(statement))

    assert service.verify() == (7, [])


def test_replacing_or_emptying_is_refused_too(record: list[int]) -> None:
    db.session.rollback()
    statement = (
        "INSERT OR REPLACE INTO audit_entries SELECT * FROM audit_entries WHERE seq = 4"
        if db.engine.dialect.name == "sqlite"
        else "TRUNCATE audit_entries"
    )

    with pytest.raises(DBAPIError, match="append-only"), db.engine.begin() as connection:
        connection.execute(text(statement))


def test_the_application_cannot_change_a_row_either(record: list[int]) -> None:
    with pytest.raises(DBAPIError, match="append-only"), transaction() as session:
        session.get_one(Entry, 4).reason = "Nicer"


@pytest.fixture
def auditor(factory: Factory) -> FlaskClient:
    return factory.browser(factory.person("Otto Auditor", auditor=True))


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch, record: list[int]) -> list[int]:
    """Say who the people are."""
    names = dict(zip(record, ("Ada", "Eve"), strict=True))
    monkeypatch.setattr(
        reading.sources, "names_of", lambda ids: {one: names[one] for one in ids if one in names}
    )
    monkeypatch.setattr(reading.sources, "people", lambda: list(names.items()))
    monkeypatch.setattr(
        reading.sources, "project_named", lambda reference: 1 if reference == "OKR-1" else None
    )
    return record


def test_an_auditor_reads_who_did_what(auditor: FlaskClient, known: list[int]) -> None:
    text = auditor.get("/audit").text

    assert "Project moved" in text
    assert "Ada" in text
    assert "Title: Old → Nöw" in text


def test_others_do_not(client: FlaskClient, factory: Factory) -> None:
    assert factory.browser(factory.person()).get("/audit").status_code == 403
    assert client.get("/audit").status_code == 303
    assert factory.browser(factory.person()).post("/audit/export").status_code == 403


@pytest.mark.parametrize(
    ("search", "status", "found"),
    [
        ({}, 200, True),
        ({"action": "project.moved"}, 200, True),
        ({"action": "no.such"}, 200, False),
        ({"person": "somebody"}, 200, True),
        ({"person": "x"}, 422, False),
        ({"project": "NOPE"}, 422, False),
        ({"since": "2001-01-01"}, 200, True),
        ({"until": "2001-01-01"}, 200, False),
        ({"since": "gestern"}, 422, False),
        ({"since": "0001-01-01"}, 422, False),
        ({"until": "9999-12-31"}, 422, False),
        ({"since": "2031-02-01", "until": "2031-01-01"}, 422, False),
        ({"before": "x"}, 200, True),
        ({"before": "1"}, 200, False),
    ],
)
def test_the_record_is_searched(
    auditor: FlaskClient, known: list[int], search: dict[str, str], status: int, found: bool
) -> None:
    if search.get("person") == "somebody":
        search = {"person": str(known[0])}

    answer = auditor.get("/audit", query_string=search)

    assert answer.status_code == status
    assert ('data-label="No."' in answer.text) is found


def test_older_rows_come_a_page_at_a_time(auditor: FlaskClient, known: list[int]) -> None:
    with transaction():
        for _ in range(60):
            service.record("project.moved", by=known[0])

    first = auditor.get("/audit?action=project.moved").text
    link = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    second = auditor.get(link).text

    assert first.count('data-label="No."') == 50
    assert second.count('data-label="No."') == 17


def test_an_export_is_harmless_complete_and_recorded(
    auditor: FlaskClient, known: list[int]
) -> None:
    with transaction():
        service.record("project.moved", by=known[0], reason='=HYPERLINK("http://evil")')

    answer = auditor.post("/audit/export", data={"action": "project.moved"})

    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))
    assert len(rows) == 8
    assert rows[-1]["reason"] == '\'=HYPERLINK("http://evil")'
    assert rows[0]["person"] == "Ada"
    db.session.rollback()
    assert service.page(service.Filter(), limit=1)[0].action == "audit.exported"


def test_reading_a_page_asks_for_names_once(
    auditor: FlaskClient, known: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[set[int]] = []

    def names_of(ids: set[int]) -> dict[int, str]:
        asked.append(ids)
        return {}

    monkeypatch.setattr(reading.sources, "names_of", names_of)

    auditor.get("/audit")

    assert len(asked) == 1


@pytest.fixture
def runner(app: Flask, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    url = app.config["SQLALCHEMY_DATABASE_URI"]
    monkeypatch.setenv("OKRGATE_DATABASE_URL", url)
    monkeypatch.setenv("OKRGATE_SECRET_KEY", app.config["SECRET_KEY"])
    db.session.rollback()
    return CliRunner()


def test_the_command_says_that_the_record_is_whole(runner: CliRunner, record: list[int]) -> None:
    head = runner.invoke(command, ["head"]).stdout.strip()
    answer = runner.invoke(command, ["verify", "--expect", head])

    assert head.startswith("7:")
    assert (answer.exit_code, answer.stdout) == (
        0,
        "7 rows, unbroken. 0 receipts, as they were written.\n",
    )


def test_the_command_names_the_broken_places(runner: CliRunner, record: list[int]) -> None:
    unprotected("UPDATE audit_entries SET reason = 'Nicer' WHERE seq = 4")

    answer = runner.invoke(command, ["verify"])

    assert answer.exit_code == 1
    assert answer.stdout == "row 4: was changed after it was written\n"


@pytest.mark.parametrize("column", COLUMNS)
def test_the_command_names_the_column_of_a_changed_byte(
    runner: CliRunner, record: list[int], column: str
) -> None:
    query = text(f"SELECT {column} FROM audit_entries WHERE seq = 4")  # noqa: S608
    value = db.session.execute(query).scalar_one()
    changed = sum(record) - value if column in {"actor_id", "on_behalf_of_id"} else flipped(value)
    if column == "project_id":
        changed = None
    if column == "at" and not isinstance(value, str):
        # One digit of it, and nothing carried.
        changed = value.replace(microsecond=value.microsecond ^ 1)
    unprotected(f"UPDATE audit_entries SET {column} = :value WHERE seq = 4", value=changed)  # noqa: S608

    answer = runner.invoke(command, ["verify"])

    assert answer.exit_code == 1
    assert f"row 4, column {column}: " in answer.stdout


def test_the_command_takes_heads_and_lists_that_were_mailed(
    runner: CliRunner, record: list[int]
) -> None:
    head, listing = chain.marks_at(5)
    db.session.rollback()
    good = runner.invoke(
        command, ["verify", "--checkpoint", f"5:{head}", "--checkpoint", f"5:{listing}"]
    )
    bad = runner.invoke(command, ["verify", "--checkpoint", f"4:{head}"])

    assert good.exit_code == 0
    assert bad.exit_code == 1
    assert "row 4: is not the row that was noted before" in bad.stdout


def test_the_command_writes_the_record_with_its_proof(
    runner: CliRunner, record: list[int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "record.zip"
    answer = runner.invoke(command, ["export", str(file), "--project", "okr-1"])

    assert answer.exit_code == 0, answer.output
    assert verify_export.main([str(file)]) == 0
    assert "8 rows of the record, 7 of them in full" in capsys.readouterr().out
    assert runner.invoke(command, ["export", str(file), "--project", "NO"]).exit_code == 2
    assert runner.invoke(command, ["export", "x.csv", "--project", "OKR-1"]).exit_code == 2


def test_the_command_writes_the_record_and_notes_it(runner: CliRunner, record: list[int]) -> None:
    answer = runner.invoke(command, ["export", "-"])

    assert answer.exit_code == 0
    assert answer.stdout.count("\n") == 1 + 7 + 1
    db.session.rollback()  # the command wrote through a connection of its own
    assert service.head()[0] == 8


def test_the_command_refuses_an_odd_head(runner: CliRunner) -> None:
    assert runner.invoke(command, ["verify", "--expect", "7:abc"]).exit_code == 2


def test_a_moment_at_the_edge_of_a_day_is_found_by_that_day(
    auditor: FlaskClient, known: list[int]
) -> None:
    with clock.moved_to(clock.now() + timedelta(days=400)):
        day = clock.today()
        start = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    for moment in (start, start + timedelta(hours=23, minutes=59), start + timedelta(days=1)):
        with clock.moved_to(moment), transaction():
            service.record("project.marked", by=known[0])

    text = auditor.get("/audit", query_string={"since": day, "until": day}).text

    assert text.count('data-label="No."') == 2
