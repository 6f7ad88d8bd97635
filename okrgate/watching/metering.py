"""Figures for Prometheus: what this server answered, and how the machinery stands in the database.

Nothing is counted unless a token for `/metricsz` is set. With several processes the library keeps the counts in files
of a folder that `okrgate serve` makes; the figures from the database are read when somebody asks.
"""

import os
import time
from collections import Counter as Tally
from collections.abc import Iterator
from functools import cache

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from okrgate import clock
from okrgate.config import Settings
from okrgate.database import db
from okrgate.gates.model import Stage
from okrgate.notifications import service as notifications
from okrgate.notifications import worker
from okrgate.projects.models import Project
from okrgate.rulebooks import service as rulebooks
from okrgate.watching import incidents, service

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class _Meters:
    """What is counted in this process."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "okrgate_requests",
            "Requests answered.",
            ("endpoint", "method", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "okrgate_request_seconds",
            "How long an answer took.",
            ("endpoint",),
            buckets=_BUCKETS,
            registry=self.registry,
        )


@cache
def _meters() -> _Meters:
    return _Meters()


def install(app: Flask, settings: Settings) -> None:
    """Count every request, where somebody may ask for the figures."""
    if not settings.metrics_token:
        return
    meters = _meters()

    def begin() -> None:
        g.metering_began = time.perf_counter()

    def finish(response: Response) -> Response:
        endpoint = request.endpoint or "none"
        meters.requests.labels(endpoint, _method(), str(response.status_code)).inc()
        began = g.get("metering_began")
        if began is not None:
            meters.seconds.labels(endpoint).observe(time.perf_counter() - began)
        return response

    app.before_request(begin)
    app.after_request(finish)


def exposition() -> bytes:
    """Return all figures in Prometheus's text format."""
    figures = CollectorRegistry()
    figures.register(_Database())
    if os.environ.get(FOLDER):
        counted = CollectorRegistry()
        MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
    else:
        counted = _meters().registry
    return generate_latest(counted) + generate_latest(figures)


def _method() -> str:
    """Return the method; anything that is none of the usual is one label."""
    return (
        request.method
        if request.method in {"GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH"}
        else "other"
    )


class _Database(Collector):
    """How the machinery stands, read when asked."""

    def describe(self) -> Iterator[Metric]:
        """Say nothing before the first question: the library would ask the database when this is registered."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Yield the figures, or only that the database does not answer."""
        try:
            found = [
                *_projects(),
                *_outbox(),
                *_workers(),
                *_incidents(),
                *_chain(),
                _size(),
            ]
        except SQLAlchemyError:
            found = []
        finally:
            db.session().rollback()
        yield _gauge("database_up", "Whether the database answers.", 1.0 if found else 0.0)
        yield from found


def _projects() -> Iterator[Metric]:
    """Count open projects by process and kind of stage."""
    query = (
        select(Project.rulebook_version_id, Project.stage, func.count())
        .where(Project.closed_at.is_(None))
        .group_by(Project.rulebook_version_id, Project.stage)
    )
    counted: Tally[tuple[str, str]] = Tally()
    for version, stage, count in db.session().execute(query):
        rulebook = rulebooks.rulebook(version)
        counted[rulebook.id, _kind(rulebook.stages.get(stage))] += count
    family = GaugeMetricFamily(
        "okrgate_open_projects", "Open projects.", labels=("process", "stage_kind")
    )
    for labels, count in sorted(counted.items()):
        family.add_metric(labels, count)
    yield family


def _kind(stage: Stage | None) -> str:
    if stage is None:
        return "unknown"
    kinds = {"first": stage.initial, "end": stage.terminal, "held": stage.holding}
    return next((name for name, fits in kinds.items() if fits), "under_way")


def _outbox() -> Iterator[Metric]:
    backlog = notifications.backlog()
    yield _gauge("outbox_waiting", "Mails past their time.", backlog.waiting)
    yield _gauge("outbox_dead", "Mails that were given up.", backlog.dead)
    age = (clock.now() - backlog.oldest).total_seconds() if backlog.oldest else 0.0
    yield _gauge("outbox_oldest_seconds", "Since when the oldest mail is past its time.", age)


def _workers() -> Iterator[Metric]:
    beat = worker.last_beat()
    age = (clock.now() - beat).total_seconds() if beat else float("inf")
    yield _gauge("worker_heartbeat_age_seconds", "Since when no worker gave a sign of life.", age)


def _incidents() -> Iterator[Metric]:
    family = GaugeMetricFamily("okrgate_incident_open", "Whether it is open.", labels=("kind",))
    count = GaugeMetricFamily("okrgate_incident_count", "How often, while open.", labels=("kind",))
    known = {one.kind: one for one in incidents.open_ones()}
    for kind in incidents.WORDS:
        family.add_metric((kind,), 1.0 if kind in known else 0.0)
        count.add_metric((kind,), known[kind].count if kind in known else 0)
    yield family
    yield count


def _chain() -> Iterator[Metric]:
    last = service.last_check()
    if last is None:
        return
    yield _gauge("audit_verified_timestamp_seconds", "When last checked.", last.at.timestamp())
    yield _gauge("audit_whole", "Whether the record was unbroken then.", 1.0 if last.whole else 0.0)
    yield _gauge("audit_rows", "How many rows it had.", last.row_count)


def _size() -> Metric:
    session = db.session()
    if session.get_bind().dialect.name == "postgresql":
        size = session.scalar(text("SELECT pg_database_size(current_database())"))
    else:
        pages = session.scalar(text("PRAGMA page_count")) or 0
        size = pages * (session.scalar(text("PRAGMA page_size")) or 0)
    return _gauge("database_bytes", "How large the database is.", float(size or 0))


def _gauge(name: str, help_text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"okrgate_{name}", help_text, value=value)
