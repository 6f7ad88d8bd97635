"""Builds the application; the only module that knows every room."""

from importlib.metadata import version
from typing import Any

from flask import Flask, request
from flask_login import LoginManager, current_user
from jinja2 import StrictUndefined
from sqlalchemy import Integer, bindparam

from okrgate import clock, events, logs
from okrgate.accounts import directory, sessions
from okrgate.accounts import views as accounts
from okrgate.accounts.people import on_erased
from okrgate.administration import joining as administration_joining
from okrgate.administration import pages as administration
from okrgate.approvals import condition_reminders, delegations
from okrgate.approvals import delegation_views as standing_in
from okrgate.approvals import pages as approvals
from okrgate.approvals import reminders as approvals_reminders
from okrgate.approvals import service as approvals_service
from okrgate.audit import denials
from okrgate.audit import service as audit_service
from okrgate.audit import views as audit
from okrgate.comments import following
from okrgate.comments import service as comments_service
from okrgate.comments import views as comments
from okrgate.config import Settings, resources
from okrgate.database import db, prepare_engine
from okrgate.delivery import views as delivery
from okrgate.demo import tour
from okrgate.demo import views as demo
from okrgate.evidence import checkpoints
from okrgate.evidence import views as evidence
from okrgate.factors import service as factors_service
from okrgate.factors import views as factors
from okrgate.imports import views as imports
from okrgate.measurement import reminders
from okrgate.measurement import service as measurement_service
from okrgate.measurement import views as measurement
from okrgate.meetings import pages as meetings
from okrgate.metrics import views as metrics
from okrgate.notifications import digests, outbox, worker
from okrgate.notifications import views as notifications
from okrgate.okrs import views as okrs
from okrgate.portfolio import views as portfolio
from okrgate.projects import money, search
from okrgate.projects import permissions as project_permissions
from okrgate.projects import service as projects
from okrgate.rulebooks import service as rulebook_service
from okrgate.rulebooks import views as rulebooks
from okrgate.stages import (
    change_reminders,
    coming_back,
    escalating,
    hold_reminders,
    owed,
    requested,
    settling,
    work,
)
from okrgate.stages import pages as stages
from okrgate.stages.sections import titles as section_titles
from okrgate.summaries import views as summaries
from okrgate.watching import joining as watching_joining
from okrgate.watching import views as watching
from okrgate.web import again, errors, filters, htmx, permissions, security, tidy
from okrgate.web import navigation as web_navigation
from okrgate.web import views as web
from okrgate.workshop import joining as workshop_joining
from okrgate.workshop import pages as workshop

ROOMS = (
    web,
    accounts,
    factors,
    audit,
    rulebooks,
    metrics,
    okrs,
    measurement,
    delivery,
    comments,
    approvals,
    standing_in,
    evidence,
    summaries,
    portfolio,
    stages,
    meetings,
    notifications,
    administration,
    imports,
    workshop,
    demo,
    watching,
)


_VERSION = version("okrgate")
_ME = bindparam("me", type_=Integer)


def create_app(settings: Settings) -> Flask:
    """Build the WSGI application for these settings."""
    app = Flask(
        "okrgate",
        static_folder=str(resources() / "static"),
        template_folder=str(resources() / "templates"),
    )
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=_engine_options(settings),
        TESTING=settings.testing,
    )
    app.extensions["okrgate.settings"] = settings
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    logs.configure(as_json=settings.log_json)
    clock.set_company_zone(settings.timezone)
    money.set_company_currency(settings.currency)
    _connect(app)
    watching_joining.install(app, settings)
    htmx.install(app)
    security.install(app, settings)
    filters.install(app)
    tidy.install(app)
    errors.install(app)
    sessions.install(LoginManager(app), settings)
    administration_joining.install(app, settings)
    workshop_joining.install(app, settings)
    app.before_request(permissions.enforce)
    app.before_request(again.note)
    for room in ROOMS:
        app.register_blueprint(room.blueprint)
    app.context_processor(security.context)
    app.context_processor(_surroundings)
    _introduce()
    return app


def _introduce() -> None:
    """Tell the rooms below what they may not ask for themselves."""
    events.subscribe(outbox.on_event)
    web_navigation.register_badge("approvals", approvals.badge(_ME))
    web_navigation.register_badge("inbox", notifications.badge(_ME))
    events.add_hearers(following.hearers)
    comments_service.register_parts(section_titles)
    directory.register_held("comments", comments_service.held)
    directory.register_held("second_factors", factors_service.held_on)
    on_erased(factors_service.forget)
    audit_service.on_project_change(settling.settle)
    directory.register_roles(rulebook_service.role_choices)
    directory.on_roles_changed(settling.on_roles_changed)
    directory.on_roles_changed(delegations.end_all_of)
    delegations.on_changed(settling.on_stand_ins_changed)
    errors.on_denied(denials.note)
    audit.sources.names_of = directory.names
    audit.sources.people = directory.everybody_choices
    audit.sources.references_of = projects.references_of
    audit.sources.project_named = projects.id_named
    for people in (*approvals_service.signers(), *measurement_service.stewards()):
        project_permissions.register_reader(people)
    project_permissions.register_invited(requested.asked_to_waive())
    worker.every_minute(settling.sweep)
    worker.every_minute(search.catch_up)
    worker.every_minute(digests.send_digests)
    worker.every_minute(coming_back.come_back)
    worker.daily(reminders.remind_of_checkpoints)
    worker.daily(approvals_reminders.remind_of_signoffs)
    worker.daily(condition_reminders.remind_of_conditions)
    worker.daily(escalating.escalate_signoffs)
    worker.daily(hold_reminders.remind_of_holds)
    worker.daily(checkpoints.take_when_due)
    for source in (*owed.SOURCES, hold_reminders.owed, change_reminders.owed):
        work.add_source(source)


def _engine_options(settings: Settings) -> dict[str, Any]:
    if settings.database_url.startswith("sqlite"):
        return {"connect_args": {"check_same_thread": False}}
    return {"pool_size": 8, "max_overflow": 4, "pool_timeout": 10}


def _connect(app: Flask) -> None:
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)


def _surroundings() -> dict[str, Any]:
    """Give every page its menu, badges and theme."""
    theme = request.cookies.get("theme", "auto")
    shown = {
        "theme": theme if theme in web.THEMES else "auto",
        "demo": tour.is_demo(),
        "tour": tour.card(),
        "app_version": _VERSION,
    }
    if not current_user.is_authenticated:
        return shown | {"navigation": [], "badges": {}}
    badges = web_navigation.badges(current_user.id)
    return shown | {
        "badges": badges,
        "navigation": web_navigation.menu(current_user, badges),
        "user_links": web_navigation.own_links(),
    }
