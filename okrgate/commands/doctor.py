"""Say what is wrong with an installation, in sentences."""

import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta

import click

from okrgate.commands import surroundings
from okrgate.commands.told import Told, settings_told
from okrgate.config import Settings

_LEAST_DISK = 200 * 1024 * 1024
_LATE = timedelta(minutes=15)


Check = Callable[[Settings], Iterator[Told]]


@click.command()
def doctor() -> None:
    """Check settings, database, rules, roles, mail, disk and the audit record. Exits with 1 if something is wrong."""
    settings = surroundings.settings()
    click.echo("ok       The settings can be read.")
    failed = False
    for check in (settings_told, _disk, _database, _rules, _mail):
        for told in check(settings):
            failed = failed or told.level == "wrong"
            click.echo(f"{told.level:8} {told.sentence}")
    if failed:
        raise click.exceptions.Exit(1)


def _disk(settings: Settings) -> Iterator[Told]:
    if not settings.data_dir.is_dir():
        yield Told(
            f"The folder {settings.data_dir} does not exist. `okrgate migrate` makes it.", "wrong"
        )
        return
    free = shutil.disk_usage(settings.data_dir).free
    megabytes = free // (1024 * 1024)
    yield Told(f"{megabytes} MB are free for data.", "ok" if free >= _LEAST_DISK else "wrong")


def _database(settings: Settings) -> Iterator[Told]:
    """Check the tables; only a database that has them can be asked more."""
    from sqlalchemy.exc import SQLAlchemyError

    from okrgate import migrations

    try:
        current = migrations.is_current(settings.database_url)
    except (SQLAlchemyError, OSError) as problem:
        yield Told(
            f"The database cannot be reached: {str(problem).strip().splitlines()[0]}", "wrong"
        )
        return
    if not current:
        yield Told(
            "The database has other tables than this version needs. Run `okrgate migrate`.", "wrong"
        )
        return
    yield Told("The database is reachable and up to date.")
    from okrgate.config import BadSettings

    try:
        yield from _inside(settings)
    except BadSettings:
        yield Told(
            "Nothing starts with these settings, so the database was not looked into.", "wrong"
        )


def _inside(settings: Settings) -> Iterator[Told]:
    with surroundings.application(settings):
        yield from _people()
        yield from _roles()
        yield from _factors()
        yield from _outbox()
        yield from _audit()
        yield from _hosts()
        yield from _incidents()
        yield from _backups(settings)


def _people() -> Iterator[Told]:
    from okrgate.accounts import directory

    if not directory.admins():
        yield Told(
            "There is no administrator. `okrgate first-admin EMAIL NAME` prints a link for one.",
            "warning",
        )


def _roles() -> Iterator[Told]:
    from okrgate.accounts import directory
    from okrgate.rulebooks import service as rulebooks

    versions = rulebooks.binding()
    if not versions:
        yield Told("No rulebook is published. `okrgate rules publish FILE` publishes one.", "wrong")
    for version in versions:
        rulebook = rulebooks.rulebook(version.id)
        wanted = {role.id: role.label for role in rulebook.roles.values() if role.kind == "org"}
        held = {holding.role for holding in directory.holdings(wanted)}
        for role in sorted(wanted.keys() - held):
            yield Told(
                f"Nobody holds the role {wanted[role]} ({rulebook.title}). Gates that need it stay closed.",
                "warning",
            )


def _factors() -> Iterator[Told]:
    from okrgate.factors import service as factors
    from okrgate.rulebooks import service as rulebooks
    from okrgate.rulebooks import signers

    in_force = [rulebooks.rulebook(version.id) for version in rulebooks.binding()]
    lacking = signers.cannot_sign_yet(in_force)
    if lacking:
        named = ", ".join(lacking[:10]) + (" and others" if len(lacking) > 10 else "")
        yield Told(
            f"These cannot sign at a strict gate yet, because they have no second factor: {named}.",
            "warning",
        )
    closed = factors.unreadable()
    if closed:
        yield Told(
            f"{closed} authenticator app(s) were added under an earlier secret: set OKRGATE_SECRET_KEY_BEFORE to it,"
            " or their owners add them again.",
            "warning",
        )


def _outbox() -> Iterator[Told]:
    from okrgate import clock
    from okrgate.notifications import service, worker

    backlog, beat = service.backlog(), worker.last_beat()
    if backlog.dead:
        yield Told(
            f"{backlog.dead} mails were given up; an administrator can send them again.", "warning"
        )
    if backlog.oldest and backlog.oldest < clock.now() - _LATE:
        yield Told(
            f"{backlog.waiting} mails wait to be sent, the oldest since {backlog.oldest:%Y-%m-%d %H:%M} UTC.",
            "wrong",
        )
    if beat is None:
        yield Told(
            "No worker has run yet. Start `okrgate worker`: without it no mail is sent.", "warning"
        )
    elif beat < clock.now() - _LATE:
        yield Told(
            f"No worker has run since {beat:%Y-%m-%d %H:%M} UTC. Start `okrgate worker`.", "wrong"
        )
    else:
        yield Told("The worker is running.")


def _audit() -> Iterator[Told]:
    from okrgate.audit import service as audit

    count, breaks = audit.verify()
    if not breaks:
        yield Told(f"The audit record is whole: {count} rows.")
    for broken in breaks[:5]:
        yield Told(f"The audit record is broken at row {broken.seq}: it {broken.what}.", "wrong")


def _hosts() -> Iterator[Told]:
    """Say who lives on this database; SQLite is for one host."""
    from okrgate import clock
    from okrgate.database import db
    from okrgate.watching import heartbeats

    lately = [
        one for one in heartbeats.all_of_them() if one.beat_at > clock.now() - heartbeats.LATELY
    ]
    hosts = sorted({one.host for one in lately})
    if len(hosts) > 1 and db.engine.dialect.name == "sqlite":
        yield Told(
            f"Several hosts use this SQLite file: {', '.join(hosts)}. Stop all but one, or move to PostgreSQL.",
            "wrong",
        )
    elif hosts:
        yield Told(f"In use on {', '.join(hosts)}.")


def _incidents() -> Iterator[Told]:
    from okrgate.watching import incidents

    for one in incidents.open_ones():
        yield Told(
            f"{one.sentence} (since {one.since:%Y-%m-%d %H:%M} UTC): {one.detail}. {one.advice}",
            "warning",
        )


def _backups(settings: Settings) -> Iterator[Told]:
    """Say whether `okrgate backup` has what it needs."""
    if settings.database_url.startswith("sqlite"):
        return
    missing = [name for name in ("pg_dump", "pg_restore") if shutil.which(name) is None]
    if missing:
        yield Told(
            f"{' and '.join(missing)} not found on the path: `okrgate backup` and `okrgate restore` need PostgreSQL's"
            " client programs.",
            "warning",
        )


def _rules(settings: Settings) -> Iterator[Told]:
    from okrgate.gates.checks import check_in_child_process

    try:
        text = settings.rules_file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        yield Told(f"The rules file {settings.rules_file} cannot be read: {problem}", "wrong")
        return
    found = check_in_child_process(text)
    for one in found:
        yield Told(
            f"{settings.rules_file}:{one}", "wrong" if one.severity == "error" else "warning"
        )
    if not any(one.severity == "error" for one in found):
        yield Told("The rules file is sound.")


def _mail(settings: Settings) -> Iterator[Told]:
    from okrgate.notifications.relay import Relay, Unreachable

    where = f"{settings.mail.host}:{settings.mail.port}"
    try:
        with Relay(settings.mail) as relay:
            relay.check()
    except Unreachable as problem:
        yield Told(f"{problem} ({where})", "wrong")
        return
    yield Told(f"The mail server at {where} answers.")
