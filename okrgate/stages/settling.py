"""After every change: judge again, keep the verdicts, open or refresh the round of sign-off, take automatic moves.

Settling twice changes nothing the second time, so a crash in between is mended by the sweep.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import structlog
from sqlalchemy import exists, or_, select

from okrgate import clock
from okrgate.accounts import directory
from okrgate.accounts.working_days import calendar_of
from okrgate.approvals import service as approvals
from okrgate.approvals.changes import changed_names
from okrgate.approvals.models import Round
from okrgate.approvals.service import WantedSeat
from okrgate.audit import service as audit
from okrgate.database import after_commit, db, is_writing, remembering, transaction
from okrgate.errors import Conflict, Refused
from okrgate.events import Event, Recipient, RoleUnheld, SignoffAsked, publish
from okrgate.gates.model import Rulebook, Transition
from okrgate.projects import search
from okrgate.projects.models import Project
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import dossier, judging, picture, waits
from okrgate.stages.card import key_facts
from okrgate.stages.facts import Snapshot, digest_of, gather
from okrgate.stages.judging import Judged
from okrgate.stages.models import ProjectReading
from okrgate.stages.moving import move
from okrgate.stages.signing_news import not_needed
from okrgate.stages.waits import Waits

log = structlog.get_logger()

_CHAIN = 10
_TRIES = 5
_at_work: ContextVar[frozenset[int]] = ContextVar("settling", default=frozenset())
_later: ContextVar[set[int] | None] = ContextVar("settle later", default=None)


@contextmanager
def put_off() -> Iterator[set[int]]:
    """Settle nothing in the block; what should be settled is put into the set, for the caller to settle.

    For many changes in a row by one caller. What is forgotten, the sweep finds.
    """
    projects: set[int] = set()
    token = _later.set(projects)
    try:
        yield projects
    finally:
        _later.reset(token)


def settle(project_id: int, *, after: str = "") -> None:
    """Bring everything that follows from a project's facts up to date. `after` names whose act led here.

    Never raises what a person could not act on: a failure is logged and the sweep tries again.
    """
    if project_id in _at_work.get() or is_writing():
        return
    later = _later.get()
    if later is not None:
        later.add(project_id)
        return
    token = _at_work.set(_at_work.get() | {project_id})
    try:
        _settle(project_id, after)
    except Refused as refusal:
        log.warning("settling refused", project=project_id, sentence=refusal.sentence)
    except Exception as problem:
        # What led here is stored and must be answered as done, whatever breaks now.
        db.session().rollback()
        log.error("settling failed", project=project_id, exc_info=problem)
    finally:
        _at_work.reset(token)


def sweep(limit: int = 500) -> int:
    """Settle every project of which something changed since, beside it too, or that was judged for another day."""
    if picture.holds_names():
        with transaction():
            picture.forget_names()
    kept = exists().where(ProjectReading.project_id == Project.id, picture.fresh())
    stale = (
        select(Project.id)
        .where(~kept.correlate(Project))
        .order_by(Project.closed_at.is_not(None), Project.id)
        .limit(limit)
    )
    ids = list(db.session().scalars(stale))
    for project_id in ids:
        settle(project_id)
    return len(ids)


def on_roles_changed(person_id: int) -> None:
    """After somebody's roles changed, see anew whom the open rounds wait for."""
    after_commit("roles", _refresh_rounds)


def on_stand_ins_changed(people: Collection[int]) -> None:
    """After a delegation began or ended, see anew whom the rounds of these people wait for."""
    after_commit(f"stand-ins {sorted(people)}", lambda: _refresh_rounds(of=people))


def _refresh_rounds(limit: int = 500, of: Collection[int] = ()) -> None:
    open_rounds = select(Round.project_id).where(Round.closed_at.is_(None)).distinct().limit(limit)
    if of:
        has_part = Round.project_id.in_(
            select(Project.id).where(or_(Project.submitter_id.in_(of), Project.lead_id.in_(of)))
        )
        open_rounds = open_rounds.where(or_(approvals.waits_for(of), has_part))
    for project_id in list(db.session().scalars(open_rounds)):
        settle(project_id)


def _settle(project_id: int, after: str) -> None:
    moves = 0
    for _ in range(_CHAIN * _TRIES):
        db.session().rollback()
        project = db.session().get(Project, project_id)
        if project is None:
            return
        rulebook = rulebooks.rulebook(project.rulebook_version_id)
        snapshot = gather(project, rulebook)
        with remembering(snapshot.memory):
            kept = judging.stored(project_id)
            judged = judging.judge_ahead(project, snapshot, rulebook, kept)
            waited = waits.kept_waits(project, kept)
        automatic = _open_automatic(rulebook, project.stage, judged)
        unfinished = automatic is not None
        if not _keep(project, snapshot, rulebook, judged, waited, unfinished=unfinished):
            continue
        if automatic is None or moves >= _CHAIN:
            return
        version = project.version
        try:
            outcome = move(project_id, automatic.id, by=None, expected_version=version, after=after)
        except Conflict:
            continue
        if not outcome.moved:
            return
        moves += 1
    log.error("settling does not end", project=project_id)


def _open_automatic(rulebook: Rulebook, stage: str, judged: Sequence[Judged]) -> Transition | None:
    allowed = {one.transition.id for one in judged if one.verdict.allowed}
    for transition in rulebook.transitions_from(stage):
        if transition.auto and (transition.gate is None or transition.id in allowed):
            return transition
    return None


def _keep(
    project: Project,
    snapshot: Snapshot,
    rulebook: Rulebook,
    judged: Sequence[Judged],
    waited: Waits | None,
    *,
    unfinished: bool,
) -> bool:
    """Store what was judged and see to the round; False when the project changed meanwhile.

    While an automatic move is still to follow, what is stored counts as old, so that the sweep would take it.
    """
    seats, signing = _seats(project, snapshot, rulebook, judged)
    unheld = _unheld(project, rulebook, seats)
    shown = picture.try_to_draw(project, rulebook, snapshot)
    facts = shown.facts if shown else key_facts(project, snapshot)
    with remembering(snapshot.memory):
        found_by = search.is_current(project)
    with transaction():
        fresh = db.session().get(
            Project, snapshot.project_id, with_for_update=True, populate_existing=True
        )
        if (
            fresh is None
            or audit.last_of(fresh.id) != snapshot.seq
            or fresh.version != snapshot.version
        ):
            return False
        found = approvals.open_round(fresh.id)
        if signing is not None:
            for event in _see_to_round(
                fresh, found, snapshot, rulebook, signing, seats, facts
            ) + unheld(fresh):
                publish(event)
        elif found is not None:
            waiting = approvals.close_round(found, closed_as="left", by=None)
            gate = rulebook.gates.get(found.gate)
            if waiting and gate is not None:
                publish(
                    not_needed(fresh, gate.label, waiting, "Nothing has to be signed here now.")
                )
        recorded = signing is not None or found is not None
        seq = audit.last_of(fresh.id) if recorded else snapshot.seq
        seq = 0 if unfinished else seq
        waits.keep(fresh, rulebook, judged, waited)
        judging.store(fresh, judged, seq)
        picture.store(fresh, shown, snapshot, seq)
        if signing is not None:
            dossier.keep(fresh, shown, snapshot.through)
        if not found_by:
            search.keep(fresh.id)
    return True


def _seats(
    project: Project, snapshot: Snapshot, rulebook: Rulebook, judged: Sequence[Judged]
) -> tuple[list[WantedSeat], Transition | None]:
    signing = judging.signing_transition(rulebook, project.stage)
    if signing is None:
        return [], None
    one = next((each for each in judged if each.transition.id == signing.id), None)
    if one is None:
        return [], None
    return judging.wanted_seats(project, snapshot, rulebook, one.verdict), signing


def _see_to_round(
    project: Project,
    found: Round | None,
    snapshot: Snapshot,
    rulebook: Rulebook,
    signing: Transition,
    seats: Sequence[WantedSeat],
    facts: tuple[tuple[str, str], ...],
) -> list[Event]:
    """Open the round if there is none, let it lapse if its material changed, and ask whoever was not asked yet."""
    gate = rulebook.gates[signing.gate or ""]
    content = snapshot.material(rulebook.material_of(gate.id))
    digest = digest_of(content)
    changed: tuple[str, ...] = ()
    if found is not None and (found.gate != gate.id or found.digest != digest):
        changed = changed_names(rulebook, found.content, content)
        approvals.close_round(
            found, closed_as="voided", by=None, reason="What was to be signed changed."
        )
        found = None
    if found is None:
        sla = rulebook.stages[project.stage].sla_days
        found = approvals.begin_round(
            project,
            gate=gate.id,
            transition=signing.id,
            digest=digest,
            content=content,
            due_on=calendar_of(project.home_unit_id).after(clock.today(), sla) if sla else None,
        )
    asked = approvals.seat_people(found, seats)
    there = approvals.seat_stand_ins(found, seats)
    if not asked:
        return []
    return [
        SignoffAsked(
            recipients=_asked(asked, there),
            path=f"/approvals/{found.id}",
            project_id=project.id,
            reference=project.reference,
            title=project.title,
            gate=gate.label,
            ask="; ".join(dict.fromkeys(seat.label for seat in seats if seat.open)),
            due=found.due_on.isoformat() if found.due_on else "",
            again=found.number > 1,
            changed=changed or _changed_since_last(rulebook, found, content),
            facts=facts,
        )
    ]


def _asked(people: set[int], there: set[tuple[int, int]]) -> tuple[Recipient, ...]:
    """Return those who are asked now, and whoever stands in for one of them: both get the mail."""
    names = directory.names(away for _, away in there)
    in_place = {
        person: f"you stand in for {names.get(away, 'somebody')}"
        for person, away in sorted(there)
        if away in people and person not in people
    }
    told = dict.fromkeys(sorted(people), "your sign-off is needed") | in_place
    return tuple(Recipient(person, why, asked=True) for person, why in told.items())


def _changed_since_last(
    rulebook: Rulebook, found: Round, content: dict[str, object]
) -> tuple[str, ...]:
    before = db.session().scalar(
        select(Round.content).where(
            Round.project_id == found.project_id,
            Round.gate == found.gate,
            Round.number == found.number - 1,
        )
    )
    return changed_names(rulebook, before, content) if before is not None else ()


def _unheld(
    project: Project, rulebook: Rulebook, seats: Sequence[WantedSeat]
) -> Callable[[Project], list[Event]]:
    """Return a maker of news for the admins about seats that nobody can take, told once a round."""
    empty = [seat for seat in seats if seat.open and len(seat.people) < seat.need]
    alternatives = {
        seat.requirement for seat in seats if seat.open and len(seat.people) >= seat.need
    }
    stuck = [seat for seat in empty if seat.requirement not in alternatives]
    admins = directory.admins() if stuck else []
    labels = {
        seat: " or ".join(rulebook.roles[role].label for role in seat.roles) for seat in stuck
    }

    def make(fresh: Project) -> list[Event]:
        known = _told_already(fresh.id) if stuck else set()
        found: list[Event] = []
        for label in dict.fromkeys(labels[seat] for seat in stuck):
            if label in known:
                continue
            audit.record("role.unheld", by=None, project_id=fresh.id, details={"role": label})
            found.append(
                RoleUnheld(
                    recipients=tuple(
                        Recipient(person, "you administer okrgate", asked=True) for person in admins
                    ),
                    path=f"/projects/{fresh.reference}",
                    project_id=fresh.id,
                    reference=fresh.reference,
                    title=fresh.title,
                    role=label,
                    needed_for=rulebook.stages[fresh.stage].label,
                )
            )
        return found

    return make


def _told_already(project_id: int) -> set[str]:
    entries = audit.page(audit.Filter(project_id=project_id, action="role.unheld"), limit=50)
    return {entry.details.get("role", "") for entry in entries}
