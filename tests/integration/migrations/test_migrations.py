"""From nothing to this version's tables, on both databases."""

import multiprocessing
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text

import okrgate.app  # noqa: F401 every room's tables must be known
from okrgate import migrations
from okrgate.database import Model
from tests.conftest import DATABASES
from tests.machine import PATIENCE


@pytest.fixture(params=DATABASES)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Yield the address of a database without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/new/empty.db"
        return
    server: str = request.getfixturevalue("postgresql")
    name = f"m{uuid.uuid4().hex[:12]}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield server.replace("/postgres?", f"/{name}?")
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


def test_migrating_from_nothing_gives_exactly_the_models(empty_url: str) -> None:
    before = migrations.is_current(empty_url)

    migrations.upgrade(empty_url)

    assert not before
    assert migrations.is_current(empty_url)
    assert migrations.differences(empty_url) == []


def test_migrating_twice_changes_nothing(empty_url: str) -> None:
    migrations.upgrade(empty_url)
    migrations.upgrade(empty_url)

    assert migrations.is_current(empty_url)


def test_triggers_come_with_the_tables(empty_url: str) -> None:
    migrations.upgrade(empty_url)
    engine = create_engine(empty_url)
    if engine.dialect.name == "sqlite":
        query = "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_entries'"
    else:
        query = "SELECT count(*) FROM pg_trigger WHERE tgrelid = 'audit_entries'::regclass AND NOT tgisinternal"

    with engine.connect() as connection:
        count = connection.execute(text(query)).scalar()
    engine.dispose()

    assert count


def test_two_hosts_that_start_at_once_migrate_once(empty_url: str) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=migrations.upgrade, args=(empty_url,)) for _ in range(2)]

    for process in processes:
        process.start()
    for process in processes:
        process.join(PATIENCE)

    assert [process.exitcode for process in processes] == [0, 0]
    assert migrations.is_current(empty_url)


def test_every_model_has_a_table(empty_url: str) -> None:
    migrations.upgrade(empty_url)
    engine = create_engine(empty_url)

    found = set(inspect(engine).get_table_names())
    engine.dispose()

    assert set(Model.metadata.tables) <= found
