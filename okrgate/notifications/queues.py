"""Where the queue is: beside the SQLite file on one host, in PostgreSQL itself when several hosts share one.

Nothing in it is needed: it wakes workers sooner than the minute's sweep would.
"""

from typing import TYPE_CHECKING, Any

from sqlalchemy import make_url

from okrgate.config import Settings

if TYPE_CHECKING:
    from huey.api import Huey

# A schema of its own: the application's tables stay exactly the models', and a backup leaves the queue out.
SCHEMA = "okrgate_queue"
_NAME = "okrgate"
_LOCK = 0x71756575
_PATIENCE_SECONDS = 5


def build(settings: Settings) -> "Huey":
    """Return the queue that fits the database."""
    url = make_url(settings.database_url)
    if url.get_backend_name() == "postgresql":
        parameters = dict(url.get_dialect()().create_connect_args(url)[1])
        return _in_postgresql(parameters)
    from huey import (
        SqliteHuey,  # slow to import: a process that only shows pages never wakes a worker
    )

    settings.data_dir.mkdir(parents=True, exist_ok=True)
    return SqliteHuey(_NAME, filename=str(settings.data_dir / "queue.db"), results=False, timeout=1)


def forget(queue: "Huey") -> None:
    """Drop what waits from before, where nobody else's can be among it. A sweep finds what there is to do."""
    from huey import SqliteHuey

    if isinstance(queue, SqliteHuey):
        queue.flush()


def _in_postgresql(parameters: dict[str, Any]) -> "Huey":
    """Make the queue's tables and open it. Hosts that start at the same moment wait for each other."""
    import psycopg
    from huey import PostgresHuey

    parameters = {"connect_timeout": _PATIENCE_SECONDS} | parameters
    inside = parameters | {"options": _with_schema(str(parameters.get("options", "")))}
    with psycopg.connect(**parameters, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        return PostgresHuey(_NAME, results=False, **inside)


def _with_schema(options: str) -> str:
    return f"{options} -c search_path={SCHEMA}".strip()
