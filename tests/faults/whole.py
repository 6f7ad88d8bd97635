"""What holds of every project at every moment, whatever was done to the program meanwhile."""

from collections import Counter

from sqlalchemy import func, select

from okrgate.approvals import receipts
from okrgate.approvals.models import Receipt, Round, SignoffRow
from okrgate.audit import chain
from okrgate.audit.models import Entry
from okrgate.database import db
from okrgate.notifications.models import OutboxRow
from okrgate.projects.models import Project, Visit
from okrgate.rulebooks import service as rulebooks


def assert_whole() -> None:
    """Check everything that is stored: no half decision, no half move, nothing twice, nothing forged."""
    db.session.rollback()
    _rows, breaks = chain.verify()
    assert breaks == []
    for project in db.session.scalars(select(Project).order_by(Project.id)):
        _assert_one_stay(project)
        _assert_moves_of_the_rulebook(project)
        _assert_proven(project)
    twice = select(OutboxRow.person_id).group_by(
        OutboxRow.person_id, OutboxRow.channel, OutboxRow.dedupe_key
    )
    assert db.session.scalars(twice.having(func.count() > 1)).all() == []


def stays(project_id: int) -> list[Visit]:
    """Return a project's stays, oldest first."""
    query = select(Visit).where(Visit.project_id == project_id).order_by(Visit.id)
    return list(db.session.scalars(query))


def entries(project_id: int, action: str) -> list[Entry]:
    """Return the record of one kind of act, in the order in which it was written."""
    query = select(Entry).where(Entry.project_id == project_id).order_by(Entry.seq)
    return [entry for entry in db.session.scalars(query) if entry.action.startswith(action)]


def _assert_one_stay(project: Project) -> None:
    """Exactly one stage: the one of the last stay, which alone is open."""
    found = stays(project.id)
    assert [stay.left_at is None for stay in found] == [False] * (len(found) - 1) + [True]
    assert found[-1].stage == project.stage


def _assert_moves_of_the_rulebook(project: Project) -> None:
    """Each stay but the last ended by a transition that the rulebook has, and was recorded as that."""
    rulebook = rulebooks.rulebook(project.rulebook_version_id)
    found, moved = stays(project.id), entries(project.id, "project.moved")
    assert len(moved) == len(found) - 1
    for stay, after, entry in zip(found, found[1:], moved, strict=False):
        transition = rulebook.transitions[stay.transition or ""]
        assert stay.stage in transition.sources
        assert transition.target in {after.stage, "previous"}
        said = tuple(entry.details[key] for key in ("transition", "from", "to"))
        assert said == (transition.id, stay.stage, after.stage)


def _assert_proven(project: Project) -> None:
    """Each decision has one receipt and one row of the record; each gate that was passed has its receipt."""
    signed = list(db.session.scalars(select(SignoffRow).where(SignoffRow.project_id == project.id)))
    proofs = list(db.session.scalars(select(Receipt).where(Receipt.project_id == project.id)))
    assert all(receipts.is_intact(one) for one in proofs)
    assert Counter(one.id for one in signed) == Counter(
        one.signoff_id for one in proofs if one.kind == "signoff"
    )
    recorded = Counter((entry.actor_id, entry.target) for entry in _decisions(project.id))
    assert recorded == Counter((one.person_id, f"round:{one.round_id}") for one in signed)
    back = [one for one in proofs if one.kind == "withdrawal"]
    gone = sorted((one.person_id, f"round:{one.round_id}") for one in signed if one.withdrawn_at)
    said = entries(project.id, "signoff.withdrawn")
    assert gone == sorted((one.actor_id or 0, one.target) for one in said)
    assert sorted(one.by_id or 0 for one in back) == [person for person, _target in gone]
    rulebook = rulebooks.rulebook(project.rulebook_version_id)
    passed = [stay.transition or "" for stay in stays(project.id)[:-1]]
    gated = Counter(name for name in passed if rulebook.transitions[name].gate)
    assert gated == Counter(one.transition for one in proofs if one.kind == "passage")
    rounds = select(func.count()).where(Round.project_id == project.id, Round.closed_at.is_(None))
    assert (db.session.scalar(rounds) or 0) <= 1


def _decisions(project_id: int) -> list[Entry]:
    words = ("signoff.refused", "signoff.voided", "signoff.withdrawn")
    return [one for one in entries(project_id, "signoff.") if one.action not in words]
