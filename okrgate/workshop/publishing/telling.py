"""Tell everybody for whom new rules change something: one mail a person, with their projects and where they sign now."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import select

from okrgate import clock
from okrgate.accounts import directory
from okrgate.database import db, transaction
from okrgate.events import Recipient, RulesForYou, publish
from okrgate.gates.model import Rulebook
from okrgate.gates.problems import RulebookError
from okrgate.projects.models import Project
from okrgate.rulebooks import service
from okrgate.stages import impact, migrating
from okrgate.stages.impact_report import Affected
from okrgate.workshop import meaning
from okrgate.workshop.publishing import holders
from okrgate.workshop.publishing import proposal_news as news
from okrgate.workshop.publishing.models import MIGRATE, Proposal, Rollout

_BATCH = 50
_PROJECTS = 20
_CHANGES = 30
_LEADS, _SIGNS = (
    "you submitted or lead projects under these rules",
    "you hold a role that signs now",
)


def tell(rollout_id: int) -> None:
    """Put the mails of a rollout into the outbox, some people at a time; nobody gets a second one."""
    db.session().rollback()
    rollout = db.session().get_one(Rollout, rollout_id)
    if rollout.told_at is not None:
        return
    before = service.get_version(rollout.before_id) if rollout.before_id else None
    letters = _letters(rollout, before) if before else {}
    people = sorted(directory.active(letters))
    db.session().rollback()
    while _tell_some(rollout_id, [letters[one] for one in people]):
        pass


def _tell_some(rollout_id: int, letters: Sequence[RulesForYou]) -> bool:
    """Tell the next few; return whether somebody is left. Of two workers the second goes on after the first."""
    with transaction() as session:
        rollout = session.get_one(Rollout, rollout_id, with_for_update=True, populate_existing=True)
        left = [one for one in letters if one.recipients[0].person_id > rollout.told_up_to]
        for letter in left[:_BATCH]:
            publish(letter)
            rollout.told_up_to = letter.recipients[0].person_id
        if not left[_BATCH:]:
            rollout.told_at = rollout.told_at or clock.now()
        return bool(left[_BATCH:])


def _letters(rollout: Rollout, before: service.Listed) -> Mapping[int, RulesForYou]:
    version = service.get_version(rollout.version_id)
    new, old = service.rulebook(version.id), service.rulebook(before.id)
    projects = _projects(rollout, version)
    signs = _signs(old, new)
    changes = _changes(version, before)
    author = version.published_by_id
    name = directory.names([author]).get(author or 0, "okrgate")
    return {
        person: RulesForYou(
            recipients=(Recipient(person, _why(person in projects, person in signs)),),
            by=name,
            by_id=author,
            path=f"/rules/{version.id}",
            process=version.title,
            version=version.number,
            note=version.note,
            changes=changes,
            projects=tuple(projects.get(person, ())[:_PROJECTS]),
            more=max(0, len(projects.get(person, ())) - _PROJECTS),
            signs=tuple(signs.get(person, ())),
        )
        for person in {*projects, *signs}
    }


def _why(leads: bool, signs: bool) -> str:
    return "; ".join(text for text, is_so in ((_LEADS, leads), (_SIGNS, signs)) if is_so)


def _projects(rollout: Rollout, version: service.Listed) -> Mapping[int, list[str]]:
    """Return what becomes of each open project, by whoever submitted or leads it."""
    open_ones = list(
        db.session().scalars(
            select(Project)
            .where(Project.process_id == version.process_id, Project.closed_at.is_(None))
            .where(Project.rulebook_version_id != version.id)
            .order_by(Project.id.desc())
        )
    )
    moves = rollout.in_flight == MIGRATE
    affected: dict[int, Affected] = {}
    unknown: set[int] = set()
    if moves and open_ones:
        found = impact.of(version.process, version.text, reader=None, most=impact.MOST_OPEN)
        affected = {one.project_id: one for one in found.affected}
        looked = set() if found.problem else impact.looked_at(version.process_id)
        unknown = {project.id for project in open_ones} - looked
    numbers = {
        one: service.get_version(one).number
        for one in {project.rulebook_version_id for project in open_ones}
    }
    told: defaultdict[int, list[str]] = defaultdict(list)
    for project in open_ones:
        number = numbers[project.rulebook_version_id]
        if moves:
            own = service.rulebook(project.rulebook_version_id)
            stays = migrating.why_it_stays(project, own, service.rulebook(version.id))
            sure = project.id not in unknown
            becomes = _moved(version.number, number, stays, affected.get(project.id), sure=sure)
        else:
            becomes = f"keeps version {number}; nothing changes for it."
        for person in {project.submitter_id, project.lead_id} - {None}:
            told[person or 0].append(f"{project.reference} {project.title}: {becomes}")
    return told


def _moved(number: int, before: int, stays: str, one: Affected | None, *, sure: bool) -> str:
    """Say what becomes of a project that is to move; `sure`: it was looked at."""
    if stays:
        return f"keeps version {before}. {stays}"
    said = [f"moves to version {number}."]
    if one is None and not sure:
        return f"moves to version {number}; its page says what is asked of it then."
    if one is None:
        return f"moves to version {number}; nothing else changes for it now."
    if one.problem:
        said.append(one.problem)
    if one.asked:
        said.append(f"It lacks now: {'; '.join(one.asked)}.")
    if one.dropped:
        said.append(f"No longer asked: {'; '.join(one.dropped)}.")
    said += [
        f"Sign-off needed at {need.gate}: {need.count} of {need.roles}, "
        f"from {', '.join(need.holders) or 'nobody yet'}."
        for need in one.needed
    ]
    return " ".join(said)


def _signs(old: Rulebook, new: Rulebook) -> Mapping[int, list[str]]:
    """Return at which gates somebody's word is needed that was not before, by who holds the role."""
    before = {(gate, role) for gate, roles in holders.asked(old) for role in roles}
    fresh = [
        (gate, role)
        for gate, roles in holders.asked(new)
        for role in roles
        if (gate, role) not in before
    ]
    found: defaultdict[int, list[str]] = defaultdict(list)
    for gate, role in dict.fromkeys(fresh):
        line = f"{new.gates[gate].label}: your sign-off as {new.roles[role].label}."
        for person in sorted({one.person_id for one in directory.holdings([role])}):
            found[person].append(line)
    return found


def _changes(version: service.Listed, before: service.Listed) -> tuple[str, ...]:
    """Return what changes, in words: as it was shown to those who approved, else worked out now."""
    stored = db.session().scalar(
        select(Proposal.changes).where(Proposal.version_id == version.id).limit(1)
    )
    if stored is not None:
        return tuple(news.line(one) for one in stored)[:_CHANGES]
    try:
        told = meaning.compare(before.text, version.text)
    except RulebookError:
        return ()
    return tuple(
        news.line({"direction": one.direction, "where": one.where, "sentence": one.sentence})
        for one in told.changes
    )[:_CHANGES]
