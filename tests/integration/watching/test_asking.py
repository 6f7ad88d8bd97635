"""Health, readiness and figures: who may ask, and what is said."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from okrgate import clock, migrations
from okrgate.app import create_app
from okrgate.config import BadSettings, Settings
from okrgate.database import db, transaction
from okrgate.watching import incidents, metering, service
from tests.conftest import settings_for
from tests.factories import Factory

TOKEN = "q8-Lw2_nV5xR7tYb3Kc9"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def measured(app: Flask) -> Iterator[Flask]:
    """Yield an application of its own, on the test's database, that counts."""
    settings: Settings = app.extensions["okrgate.settings"]
    metering._meters.cache_clear()
    built = create_app(replace(settings, metrics_token=TOKEN))
    built.config["WTF_CSRF_ENABLED"] = False
    yield built
    with built.app_context():
        db.session.remove()
        db.engine.dispose()
    metering._meters.cache_clear()


def _value(page: str, name: str) -> float:
    found = re.search(rf"^{re.escape(name)} (\S+)$", page, re.MULTILINE)
    assert found, f"{name} is not in\n{page}"
    return float(found[1])


def test_without_a_token_in_the_settings_there_is_no_such_page(client: FlaskClient) -> None:
    assert client.get("/metricsz").status_code == 404
    assert client.get("/metricsz", headers={"Authorization": "Bearer "}).status_code == 404


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN}x",
        f"Basic {TOKEN}",
        TOKEN,
        "Bearer ä€",
    ],
)
def test_without_the_token_nothing_is_told(measured: Flask, header: str) -> None:
    answer = measured.test_client().get("/metricsz", headers={"Authorization": header})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert "okrgate_" not in answer.get_data(as_text=True)


def test_the_token_is_no_way_round_signing_in(measured: Flask) -> None:
    answer = measured.test_client().get("/admin", headers=BEARER)

    assert answer.status_code == 303


def test_the_figures(measured: Flask, factory: Factory) -> None:
    factory.rulebook()
    first, held = factory.project(), factory.project()
    factory.project(stage="opportunity_review")
    with transaction() as session:
        session.get_one(type(held), held.id).closed_at = clock.now()
    assert first.closed_at is None
    service.check_chain()
    incidents.arise(incidents.CHAIN, "row 7")
    incidents.arise(incidents.CHAIN, "row 7")
    client = measured.test_client()
    client.get("/healthz")
    client.get("/nowhere")

    answer = client.get("/metricsz", headers=BEARER)
    page = answer.get_data(as_text=True)

    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain; version=0.0.4")
    assert (
        _value(page, 'okrgate_requests_total{endpoint="web.healthz",method="GET",status="200"}')
        == 1
    )
    assert _value(page, 'okrgate_requests_total{endpoint="none",method="GET",status="404"}') == 1
    assert _value(page, 'okrgate_request_seconds_count{endpoint="web.healthz"}') == 1
    assert _value(page, "okrgate_database_up") == 1
    kinds = dict(
        re.findall(r'okrgate_open_projects\{process="\w+",stage_kind="(\w+)"\} (\S+)', page)
    )
    assert kinds == {"first": "1.0", "under_way": "1.0"}
    assert _value(page, "okrgate_outbox_waiting") == 0
    assert _value(page, "okrgate_worker_heartbeat_age_seconds") == float("inf")
    assert _value(page, 'okrgate_incident_open{kind="chain"}') == 1
    assert _value(page, 'okrgate_incident_count{kind="chain"}') == 2
    assert _value(page, 'okrgate_incident_open{kind="engine"}') == 0
    assert _value(page, "okrgate_audit_whole") == 1
    assert clock.now().timestamp() - _value(page, "okrgate_audit_verified_timestamp_seconds") < 60
    assert _value(page, "okrgate_database_bytes") > 10_000
    assert TOKEN not in page


def test_figures_without_a_database_say_that_it_is_away(measured: Flask) -> None:
    with measured.app_context():
        db.session().execute(text("DROP TABLE incidents"))
        db.session().commit()
    page = measured.test_client().get("/metricsz", headers=BEARER).get_data(as_text=True)

    assert _value(page, "okrgate_database_up") == 0
    assert "okrgate_outbox" not in page


def test_a_weak_token_refuses_to_start(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="OKRGATE_METRICS_TOKEN"):
        replace(settings_for("sqlite://", tmp_path), metrics_token="short")


def test_alive_and_ready_are_two_questions(app: Flask, client: FlaskClient) -> None:
    assert client.get("/healthz").get_json() == {"status": "ok"}
    answer = client.get("/readyz")
    assert (answer.status_code, answer.get_json()) == (503, {"status": "not ready"})
    assert answer.headers["Retry-After"]

    db.session().execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
    db.session().execute(text("INSERT INTO alembic_version VALUES ('0001')"))
    db.session().commit()
    assert client.get("/readyz").status_code == 503
    db.session().execute(
        text("UPDATE alembic_version SET version_num = :new"), {"new": min(migrations.newest())}
    )
    db.session().commit()
    assert (client.get("/readyz").status_code, client.get("/readyz").get_json()) == (
        200,
        {"status": "ok"},
    )


def test_alive_asks_no_database(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_arguments: object, **_more: object) -> None:
        raise AssertionError("the database was asked")

    monkeypatch.setattr(db.session, "execute", away)
    monkeypatch.setattr(db.session, "scalars", away)

    assert app.test_client().get("/healthz").status_code == 200


def test_figures_of_a_late_outbox(measured: Flask, factory: Factory) -> None:
    factory.person("Ada", admin=True)
    incidents.arise(incidents.CHAIN, "row 7")
    with clock.moved_to(clock.now() + timedelta(minutes=30)):
        page = measured.test_client().get("/metricsz", headers=BEARER).get_data(as_text=True)

    assert _value(page, "okrgate_outbox_waiting") == 1
    assert _value(page, "okrgate_outbox_oldest_seconds") >= 1800
