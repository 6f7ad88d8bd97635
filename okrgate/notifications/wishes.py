"""What somebody wants to hear of by mail, and when: at once, gathered in a digest, or never.

The inbox shows everything all the same. Nobody can choose never to hear what is asked of them.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select

from okrgate import clock, events
from okrgate.accounts.models import Person
from okrgate.database import db, transaction
from okrgate.errors import Invalid
from okrgate.events import Event, ProjectEvent
from okrgate.notifications.models import DigestTime, MailWish
from okrgate.notifications.wording import zone_named

NOW, DIGEST, NEVER = "now", "digest", "never"
ASKED = "asked"
HOUR = 8
EVERY_DAY = -1
_FRIDAY = 4


@dataclass(frozen=True)
class Kind:
    """News that somebody wants or does not want together."""

    id: str
    label: str
    help: str
    events: tuple[type[Event], ...] = ()


KINDS = (
    Kind(ASKED, "What is asked of me", "Sign-offs, answers, readings, confirmations. Reminders of what is due always come at once."),
    Kind("moves", "Projects go on", "To another stage, on hold, to other hands.", (
        events.ProjectMoved, events.ProjectCameBack, events.HoldOver, events.HandedOver, events.ChangeAsked, events.ChangeDecided, events.PersonNamed,
    )),
    Kind("decisions", "Others decide", "Sign-offs, conditions, waivers.", (
        events.SignoffGiven, events.SignoffWithdrawn, events.SignoffsVoided, events.SignoffNotNeeded, events.ConditionSet,
        events.ConditionClosed, events.WaiverGranted, events.WaiverRefused,
    )),
    Kind("talk", "Comments and statements", "", (events.CommentAdded, events.StatementGiven)),
    Kind("results", "Progress and results", "Updates, readings, summaries.", (
        events.StatusPosted, events.MetricConfirmed, events.CheckpointDue, events.CheckpointRead, events.Celebrated, events.SummarySent,
    )),
    Kind("rules", "Rules change", "", (events.RulesPublished, events.RulesForYou)),
)  # fmt: skip
_REMINDERS = (events.SignoffDue, events.ConditionDue)
_KIND_OF = {event: kind.id for kind in KINDS for event in kind.events}


@dataclass(frozen=True)
class Wishes:
    """What one person chose: kind → how; `weekday` is 0 for Monday or EVERY_DAY for every working day."""

    how: Mapping[str, str]
    weekday: int = EVERY_DAY
    hour: int = HOUR


def kind_of(event: Event, *, asked: bool) -> str:
    """Return which kind of news this is to somebody; empty for what always comes at once."""
    if not asked:
        return _KIND_OF.get(type(event), "")
    if isinstance(event, ProjectEvent) and not isinstance(event, _REMINDERS):
        return ASKED
    return ""


def of(person_id: int) -> Wishes:
    """Return what somebody chose."""
    session = db.session()
    rows = session.scalars(select(MailWish).where(MailWish.person_id == person_id))
    when = session.get(DigestTime, person_id)
    how = {row.kind: row.how for row in rows}
    return Wishes(how, when.weekday, when.hour) if when else Wishes(how)


def choose(person_id: int, wishes: Wishes) -> None:
    """Keep what somebody chose. Raises Invalid for what there is not to choose."""
    wrong = {
        kind.id: "Choose one of these."
        for kind in KINDS
        if wishes.how.get(kind.id, NOW) not in choices(kind.id)
    }
    if wrong or wishes.weekday not in range(EVERY_DAY, 7) or wishes.hour not in range(24):
        raise Invalid("Choose from what is offered.", wrong)
    with transaction() as session:
        session.execute(delete(MailWish).where(MailWish.person_id == person_id))
        session.add_all(
            MailWish(person_id=person_id, kind=kind.id, how=how)
            for kind in KINDS
            if (how := wishes.how.get(kind.id, NOW)) != NOW
        )
        session.merge(DigestTime(person_id=person_id, weekday=wishes.weekday, hour=wishes.hour))


def choices(kind: str) -> tuple[str, ...]:
    """Return how a kind of news may come."""
    return (NOW, DIGEST) if kind == ASKED else (NOW, DIGEST, NEVER)


def held_until(people: Collection[int], kind: str) -> dict[int, datetime | None]:
    """Return until when a mail of this kind waits for each who does not want it at once; None: they never want it."""
    if not people:
        return {}
    rows = db.session().execute(
        select(
            MailWish.person_id,
            MailWish.how,
            Person.timezone,
            DigestTime.weekday,
            DigestTime.hour,
        )
        .join(Person, Person.id == MailWish.person_id)
        .outerjoin(DigestTime, DigestTime.person_id == MailWish.person_id)
        .where(MailWish.person_id.in_(people), MailWish.kind == kind)
    )
    return {
        row.person_id: None
        if row.how == NEVER
        else next_digest(
            zone_named(row.timezone),
            EVERY_DAY if row.weekday is None else row.weekday,
            HOUR if row.hour is None else row.hour,
        )
        for row in rows
    }


def next_digest(zone: ZoneInfo, weekday: int, hour: int) -> datetime:
    """Return the next moment at which somebody's digest comes: on their day, at their hour, where they are."""
    now = clock.now().astimezone(zone)
    for ahead in range(8):
        day = now.date() + timedelta(days=ahead)
        moment = datetime.combine(day, time(hour), zone)
        if moment > now and _is_on(day, weekday):
            return moment
    raise AssertionError("a week has every day")


def _is_on(day: date, weekday: int) -> bool:
    return day.weekday() <= _FRIDAY if weekday == EVERY_DAY else day.weekday() == weekday
