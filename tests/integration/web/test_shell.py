"""What every answer carries and every request must pass, under TLS behind a proxy as in real life."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient

from okrgate import logs
from okrgate.accounts import passwords
from okrgate.accounts.models import Person
from okrgate.app import create_app
from okrgate.config import Settings
from okrgate.database import db, transaction
from tests.factories import Factory

HOST = "gates.example.com"
PASSWORD = "a long walk along the river"


@pytest.fixture
def real(app: Flask) -> Iterator[Callable[..., Flask]]:
    """Yield what builds the application as it runs for real: TLS outside, a proxy before it, no testing mode."""
    settings: Settings = app.extensions["okrgate.settings"]
    built: list[Flask] = []

    def build(**changes: object) -> Flask:
        wanted = {"base_url": f"https://{HOST}", "testing": False, "trusted_proxies": 1} | changes
        built.append(create_app(replace(settings, **wanted)))  # type: ignore[arg-type]
        return built[-1]

    yield build
    for one in built:
        with one.app_context():
            db.session.remove()
            db.engine.dispose()


def through_proxy(app: Flask, **more: str) -> tuple[FlaskClient, dict[str, str]]:
    return app.test_client(), {
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": HOST,
        "X-Forwarded-For": "203.0.113.7",
        **more,
    }


@pytest.mark.parametrize("path", ["/sign-in", "/nothing-here", "/static/css/okrgate.css"])
def test_every_answer_tells_browsers_what_they_may_not_do(
    real: Callable[..., Flask], path: str
) -> None:
    client, headers = through_proxy(real())

    with client.get(path, headers=headers) as answer:
        answer.get_data()

    policy = dict(
        part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in answer.headers["Permissions-Policy"]
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert "no-store" in answer.headers["Cache-Control"] or path.startswith("/static/")


def test_the_cookie_is_for_this_host_and_for_no_script(
    real: Callable[..., Flask], factory: Factory
) -> None:
    person = factory.person("Ada")
    with transaction() as session:
        session.get_one(Person, person.id).password_hash = passwords.hash_of(PASSWORD)
    app = real()
    app.config["WTF_CSRF_ENABLED"] = False
    client, headers = through_proxy(app)

    answer = client.post(
        "/sign-in", data={"email": person.email, "password": PASSWORD}, headers=headers
    )

    cookie = next(
        one for one in answer.headers.getlist("Set-Cookie") if one.startswith("__Host-okrgate=")
    )
    parts = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"secure", "httponly", "path=/", "samesite=lax"} <= parts
    assert not any(part.startswith("domain") for part in parts)


def test_only_our_own_host_is_served(real: Callable[..., Flask]) -> None:
    app = real()
    client, headers = through_proxy(app)
    assert client.get("/sign-in", headers=headers).status_code == 200

    for other in ("evil.example", f"{HOST}.evil.example", f"{HOST}:444", "127.0.0.1"):
        answer = client.get("/sign-in", headers={**headers, "X-Forwarded-Host": other})
        assert answer.status_code == 422, other
        assert "evil" not in answer.text


def test_a_proxy_is_believed_only_as_configured(real: Callable[..., Flask]) -> None:
    direct = real(trusted_proxies=0).test_client()
    claims = {"X-Forwarded-Host": HOST, "X-Forwarded-Proto": "https"}

    assert direct.get("/sign-in", headers=claims).status_code == 422
    assert direct.get("/sign-in", base_url=f"https://{HOST}", headers={}).status_code == 200


def test_a_fault_shows_neither_where_nor_why(
    real: Callable[..., Flask], capsys: pytest.CaptureFixture[str]
) -> None:
    app = real()

    def broken() -> None:
        raise RuntimeError("the secret place is /srv/okrgate")

    app.before_request_funcs[None].append(broken)
    client, headers = through_proxy(app)
    answer = client.get("/sign-in", headers=headers)

    assert answer.status_code == 500
    for word in ("RuntimeError", "Traceback", "/srv/okrgate", ".py"):
        assert word not in answer.text
    told = capsys.readouterr().err
    assert "RuntimeError" in told
    assert answer.headers["X-Request-Id"] in told


def test_what_is_too_large_is_refused_before_it_is_read(client: FlaskClient) -> None:
    answer = client.post("/sign-in", data={"email": "a" * (9 * 1024 * 1024)})
    assert answer.status_code == 413


@pytest.mark.parametrize("sign", ["\x00", "\ud800"])
def test_characters_that_no_database_keeps_are_refused_everywhere(
    client: FlaskClient, sign: str
) -> None:
    shown = sign.encode("utf-8", "surrogatepass")
    answer = client.post(
        "/sign-in",
        data=b"email=" + shown.replace(b"\x00", b"%00") + b"&password=x",
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status_code in {400, 422}
    assert client.get("/projects?q=%00").status_code == 422
    assert client.get("/projects/%00").status_code == 404


def test_a_log_line_can_be_neither_forged_nor_read_for_secrets(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.configure(as_json=True)
    forged = 'x"}\n{"event": "audit verified"}\r\x1b[2J\u202egnp.exe\u2066'

    structlog.get_logger().warning(
        "odd input", typed=forged, password="hunter2", api_token="t0ken", Cookie="abc"
    )

    told = capsys.readouterr().err
    assert told.count("\n") == 1
    line = json.loads(told)
    assert line["event"] == "odd input"
    for sign in ("\n", "\r", "\x1b", "\u202e", "\u2066"):
        assert sign not in line["typed"]
    for secret in ("hunter2", "t0ken", "abc"):
        assert secret not in told


def test_no_debugger_can_be_reached(real: Callable[..., Flask], tmp_path: Path) -> None:
    app = real()
    assert not app.debug
    client, headers = through_proxy(app)
    for path in ("/console", "/?__debugger__=yes&cmd=resource&f=style.css", "/_debug"):
        answer = client.get(path, headers=headers)
        assert "Werkzeug" not in answer.text
        assert answer.status_code in {303, 302, 404, 401}, path
