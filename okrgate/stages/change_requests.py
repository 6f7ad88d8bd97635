"""Change what was signed: the lead asks, those who sign the gate decide, and only then the new values hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select

from okrgate import clock
from okrgate.accounts import directory
from okrgate.approvals import entitlement, proofs
from okrgate.approvals import service as approvals
from okrgate.approvals.models import Round
from okrgate.audit import service as audit
from okrgate.database import db, transaction
from okrgate.errors import Conflict, Forbidden, Invalid, NotFound
from okrgate.events import ChangeAsked, ChangeDecided, Recipient, publish
from okrgate.factors import proving
from okrgate.factors.proving import Proof
from okrgate.gates.engine import GateUnjudgeable, judge_twice
from okrgate.gates.model import Rulebook, Signoff
from okrgate.gates.verdict import Verdict
from okrgate.once import once
from okrgate.projects.models import Project, SectionState
from okrgate.projects.sections import Agreed, Page, Section
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import change_rows, confirming, editing
from okrgate.stages.audience import concerned
from okrgate.stages.change_models import (
    APPROVED,
    DECLINED,
    OPEN,
    RECALLED,
    ChangeProof,
    ChangeRequest,
    ChangeSeat,
)
from okrgate.stages.change_rights import (
    changeable,
    entitled,
    form_of,
    gate_named,
    gate_of,
    may_ask,
)
from okrgate.stages.facts import Snapshot, digest_of, facts_as_json, gather
from okrgate.stages.preparing import locked
from okrgate.stages.sections import section_for

_WORDS_MIN = 3
# So many lines a mail tells; all of them stand on the page.
_MOST_TOLD = 20


@dataclass(frozen=True)
class Asked:
    """What somebody asks for: the page's fields as typed, why, and what follows from it."""

    typed: Sequence[tuple[str, str]]
    reason: str
    effect: str
    key: str


class _NotEnough(Exception):
    """The gate does not open yet with these signatures; everything since the savepoint is taken back."""


def ask(project_id: int, section: Section, page: Page, asked: Asked, *, by: int) -> ChangeRequest:
    """Ask for a change. The same key twice is one. Raises Forbidden, Invalid, Conflict."""
    return once(
        lambda: _known(asked.key, project_id, by),
        lambda: _ask(project_id, section, page, asked, by),
    )


def _known(key: str, project_id: int, by: int) -> ChangeRequest | None:
    """Return the request that came with this key; nobody gets another's."""
    known = db.session().scalar(select(ChangeRequest).where(ChangeRequest.key == key))
    if known is not None and (known.by_id, known.project_id) != (by, project_id):
        raise Conflict("This page was sent before. Open it again.")
    return known


def _ask(project_id: int, section: Section, page: Page, asked: Asked, by: int) -> ChangeRequest:
    db.session().expire_all()
    project = db.session().get_one(Project, project_id)
    rulebook = rulebooks.rulebook(project.rulebook_version_id)
    snapshot = gather(project, rulebook)
    held = entitlement.holders(rulebook, rulebook.roles, snapshot.around, only=by)
    if not may_ask(rulebook, section.key, frozenset(one for one in held if by in held[one])):
        raise Forbidden("Only those who agreed this part can ask to change it.")
    if not any(one is page or one.key == page.key for _, one in changeable(project, rulebook)):
        raise Forbidden("This part is not locked, or the project is not under way.")
    gate = gate_of(project, rulebook, page)
    seats = entitled(project, rulebook, snapshot, gate, {by})
    _check_words(asked)
    form = form_of(page, project, asked.typed)
    name = directory.names([by]).get(by, "Somebody")
    with transaction() as session:
        project = locked(project_id)
        base = change_rows.marks(page, project)
        told = change_rows.would_change(project, rulebook, section, page, form.data, by=by)
        if not told.changes:
            raise Invalid("Change something first.", {"": "Nothing was changed."})
        row = ChangeRequest(
            project_id=project.id,
            section=section.key,
            page=page.key,
            gate=gate.gate,
            base_version=_version_of(project.id, section.key),
            data=[list(pair) for pair in asked.typed],
            changes=told.changes,
            rows=told.rows,
            base=base,
            reason=asked.reason.strip(),
            effect=asked.effect.strip(),
            by_id=by,
            asked_at=clock.now(),
            key=asked.key,
        )
        session.add(row)
        session.flush()
        session.add_all(
            ChangeSeat(request_id=row.id, person_id=person, roles=sorted(roles))
            for person, roles in seats.items()
        )
        project.version += 1
        audit.record(
            "change.asked",
            by=by,
            project_id=project.id,
            target=f"change_request:{row.id}",
            reason=row.reason,
            details={"section": section.title, "changes": told.changes, "effect": row.effect},
        )
        publish(
            ChangeAsked(
                recipients=tuple(
                    Recipient(one, "you sign what is to be changed", asked=True)
                    for one in sorted(seats)
                ),
                **_about(project, row, name, by),
                reason=row.reason,
                effect=row.effect,
                changes=tuple(
                    f"{one['label']}: {one['before'] or 'nothing'} → {one['after'] or 'nothing'}"
                    for one in told.changes[:_MOST_TOLD]
                ),
            )
        )
    return row


def decide(
    request_id: int, *, approve: bool, reason: str, by: int, proof: Proof | None = None
) -> str:
    """Say yes or no to a change. Return its state: still open while others have to agree too.

    Raises Forbidden (may not), Invalid (no reason given), Conflict (decided already, or overtaken by another change);
    where its gate is signed strictly, what signing.decide() raises for a proof that is missing or does not hold.
    """
    row, project, rulebook, snapshot = _read(request_id)
    rules, gate = project.rulebook_version_id, gate_named(project, row.gate)
    seats = entitled(project, rulebook, snapshot, gate, {row.by_id})
    if not approve and len(reason.strip()) < _WORDS_MIN:
        raise Invalid("Say why.", {"reason": "Say why, so that others can act on it."})
    _check_may_decide(row, seats, by)
    act = confirming.act_of_change(row, approve=approve, reason=reason, by=by)
    checked = confirming.confirmed(rulebook, row.gate, act, by, proof)
    name = directory.names([by]).get(by, "Somebody")
    told = concerned(project, snapshot)
    with transaction() as session:
        project = locked(project.id)
        if project.rulebook_version_id != rules:
            raise Conflict("The rules of this project changed meanwhile. Look at it again first.")
        seats = entitled(project, rulebook, gather(project, rulebook), gate, {row.by_id})
        row = session.get_one(ChangeRequest, request_id, populate_existing=True)
        seat = _check_may_decide(row, seats, by)
        if approve:
            _check_still_stands(project, rulebook, row)
        seat.decision = APPROVED if approve else DECLINED
        seat.reason, seat.at, seat.roles = reason.strip(), clock.now(), sorted(seats[by])
        if checked is not None:
            proving.spend(checked)
            body = proofs.body_from(checked, act)
            session.add(ChangeProof(seat_id=seat.id, body=body))
        session.flush()
        audit.record(
            f"change.{'agreed' if approve else 'refused'}",
            by=by,
            project_id=project.id,
            target=f"change_request:{row.id}",
            reason=reason.strip(),
        )
        if approve and not _try_to_apply(project, rulebook, row, gate, by):
            project.version += 1
            return OPEN
        _close(project, row, APPROVED if approve else DECLINED)
        people = {**told, row.by_id: "you asked for it"}
        publish(
            ChangeDecided(
                recipients=tuple(Recipient(one, why) for one, why in people.items() if one != by),
                **_about(project, row, name, by),
                approved=approve,
                reason=reason.strip(),
                changes=tuple(str(one["label"]) for one in row.changes),
            )
        )
        return row.state


def take_back(request_id: int, *, by: int) -> None:
    """Ask for it no more. Only whoever asked may."""
    row, project, _, _ = _read(request_id)
    if row.by_id != by:
        raise Forbidden("Only whoever asked can take it back.")
    with transaction() as session:
        project = locked(project.id)
        row = session.get_one(ChangeRequest, request_id, populate_existing=True)
        if row.state == RECALLED:
            return
        _check_open(row)
        _close(project, row, RECALLED)
        audit.record(
            "change.recalled", by=by, project_id=project.id, target=f"change_request:{row.id}"
        )


def of_project(project_id: int) -> list[ChangeRequest]:
    """Return a project's change requests, the newest first."""
    query = select(ChangeRequest).where(ChangeRequest.project_id == project_id)
    return list(db.session().scalars(query.order_by(ChangeRequest.id.desc()).limit(50)))


def seats_of(request_id: int) -> list[ChangeSeat]:
    """Return who may decide on a change, and what they said."""
    query = select(ChangeSeat).where(ChangeSeat.request_id == request_id)
    return list(db.session().scalars(query.order_by(ChangeSeat.id)))


def _check_may_decide(row: ChangeRequest, seats: Mapping[int, set[str]], by: int) -> ChangeSeat:
    if by not in seats:
        raise Forbidden(
            "Only those who sign this gate, and had no part in it, can decide on a change."
        )
    _check_open(row)
    seat = db.session().scalar(
        select(ChangeSeat).where(ChangeSeat.request_id == row.id, ChangeSeat.person_id == by)
    )
    if seat is None:
        seat = ChangeSeat(request_id=row.id, person_id=by)
        db.session().add(seat)
    elif seat.decision:
        raise Conflict("You have already decided on this change.")
    return seat


def overtaken(project: Project, rulebook: Rulebook, row: ChangeRequest) -> str:
    """Say why a request cannot be agreed to any more, whatever happened since it was asked; nothing when it can."""
    page = next(
        (
            page
            for section, page in changeable(project, rulebook)
            if (section.key, page.key) == (row.section, row.page)
        ),
        None,
    )
    if page is None:
        return (
            "The project has moved since this was asked, and this part cannot be changed here now."
        )
    now = change_rows.marks(page, project)
    if row.base.get("readings") != now.get("readings"):
        return (
            "A checkpoint was read after this was asked for, so what was known then is not what is known now. "
            "Nothing was changed. It has to be asked for anew."
        )
    if row.base != now or row.base_version != _version_of(row.project_id, row.section):
        return (
            "This part was changed after the request was made. "
            "Nothing was changed by it. It has to be asked for anew."
        )
    return ""


def _check_still_stands(project: Project, rulebook: Rulebook, row: ChangeRequest) -> None:
    """Raise Conflict when the project was parked, ended or went back, or when anything it builds on changed."""
    sentence = overtaken(project, rulebook, row)
    if sentence:
        raise Conflict(sentence)


def _check_open(row: ChangeRequest) -> None:
    if row.state == OPEN:
        return
    said = [one for one in seats_of(row.id) if one.decision]
    names = directory.names(one.person_id for one in said)
    who = "; ".join(
        f"{names.get(one.person_id, 'Somebody')} said {'yes' if one.decision == APPROVED else 'no'}"
        for one in said
    )
    raise Conflict(f"This change is decided already. {who}".strip())


def _try_to_apply(
    project: Project,
    rulebook: Rulebook,
    row: ChangeRequest,
    gate: Round,
    by: int,
) -> bool:
    """Put the new values in place if the gate opens with them and these signatures; else leave all as it was.

    Whose signature counts is asked of the project as it then is: the change may give somebody a part in it.
    """
    section = section_for(rulebook, row.section)
    page = section.page(row.page) if section else None
    if section is None or page is None:
        raise NotFound
    try:
        form = form_of(page, project, row.data)
        with db.session().begin_nested():
            editing.save_agreed(
                project,
                rulebook,
                section,
                page,
                form.data,
                agreed=Agreed(row.id, row.reason, by),
                asked_by=row.by_id,
                changes=row.changes,
            )
            now = gather(project, rulebook)
            seats = entitled(project, rulebook, now, gate, {row.by_id})
            agreed = [
                one
                for one in seats_of(row.id)
                if one.decision == APPROVED
                and one.person_id in seats
                and _is_signed(rulebook, row.gate, one)
            ]
            spoken = tuple(
                Signoff(role, str(one.person_id))
                for one in agreed
                for role in sorted(seats[one.person_id])
            )
            facts = replace(now.facts_for(gate.gate), signoffs=spoken)
            verdict = judge_twice(rulebook, gate.transition, facts, today=now.today)
            if not verdict.allowed:
                raise _NotEnough
            _sign(project, rulebook, row, gate, now, verdict, facts_as_json(facts), agreed)
    except _NotEnough:
        return False
    except Invalid as problem:
        said = " ".join(dict.fromkeys(_sentences(problem)))
        raise Conflict(
            f"What was asked for cannot be stored any more, so nothing is changed. {said}"
        ) from problem
    except GateUnjudgeable as problem:
        raise Conflict(
            "The gate cannot be judged at the moment, so nothing is changed."
        ) from problem
    return True


def _is_signed(rulebook: Rulebook, gate: str, seat: ChangeSeat) -> bool:
    """Tell whether somebody's yes may stand as their signature: at a strict gate only with a second factor."""
    return not confirming.is_strict(rulebook, gate) or _proof(seat) is not None


def _proof(seat: ChangeSeat) -> ChangeProof | None:
    return db.session().get(ChangeProof, seat.id)


def _sign(
    project: Project,
    rulebook: Rulebook,
    row: ChangeRequest,
    gate: Round,
    now: Snapshot,
    verdict: Verdict,
    facts: dict[str, Any],
    agreed: Sequence[ChangeSeat],
) -> None:
    """Keep who signed the new content: a round of its own, with a receipt for each."""
    content = now.material(rulebook.material_of(gate.gate))
    found = approvals.begin_round(
        project,
        gate=gate.gate,
        transition=gate.transition,
        digest=digest_of(content),
        content=content,
        due_on=None,
    )
    names = directory.names(one.person_id for one in agreed)
    for one in agreed:
        signed = approvals.add_signoff(
            found,
            by=one.person_id,
            roles=one.roles,
            decision=approvals.APPROVED,
            reason=one.reason or f"Change request {row.id}",
            key=f"change-{row.id}-{one.person_id}",
        )
        proof = _proof(one)
        if proof is not None:
            proofs.add(signed, proof.body)
        approvals.add_receipt(
            project,
            kind="signoff",
            transition=gate.transition,
            verdict=verdict,
            facts=facts,
            content=content,
            by=one.person_id,
            meaning=f"{names.get(one.person_id, 'Somebody')} approved change request {row.id} of {project.reference} "
            f"{project.title} at “{rulebook.gates[gate.gate].label}”, on content {found.digest[:16]}."
            f"{proofs.signed_with(proof.body) if proof else ''}",
            signoff=signed,
        )
    approvals.close_round(found, closed_as="satisfied", by=None, reason=f"Change request {row.id}")


def _close(project: Project, row: ChangeRequest, state: str) -> None:
    row.state, row.closed_at = state, clock.now()
    project.version += 1
    project.changed_at = clock.now()
    db.session().flush()


def _read(request_id: int) -> tuple[ChangeRequest, Project, Rulebook, Snapshot]:
    db.session().expire_all()
    row = db.session().get(ChangeRequest, request_id)
    if row is None:
        raise NotFound
    project = db.session().get_one(Project, row.project_id)
    rulebook = rulebooks.rulebook(project.rulebook_version_id)
    return row, project, rulebook, gather(project, rulebook)


def _version_of(project_id: int, section: str) -> int:
    query = select(SectionState.version).where(
        SectionState.project_id == project_id, SectionState.section == section
    )
    return db.session().scalar(query) or 0


def _check_words(asked: Asked) -> None:
    problems = {
        name: sentence
        for name, text, sentence in (
            ("reason", asked.reason, "Say why it has to change."),
            ("effect", asked.effect, "Say what follows from it."),
        )
        if len(text.strip()) < _WORDS_MIN
    }
    if problems:
        raise Invalid("Something is still needed.", problems)


def _sentences(problem: Invalid) -> Sequence[str]:
    return [one for one in problem.fields.values() if isinstance(one, str)] or [problem.sentence]


def _about(project: Project, row: ChangeRequest, name: str, by: int) -> dict[str, Any]:
    return {
        "by": name,
        "by_id": by,
        "path": f"/projects/{project.reference}/changes/{row.id}",
        "project_id": project.id,
        "reference": project.reference,
        "title": project.title,
    }
