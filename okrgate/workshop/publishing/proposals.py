"""Ask for a text to be published, and decide on it: it becomes a version when enough administrators agreed.

Everything about a proposal happens under the lock of its process, so of two hands at once one comes second and sees
what the first one did: how many approvals it needs is read there, too.
"""

import hashlib
from datetime import date

from sqlalchemy import select

from okrgate import clock
from okrgate.accounts import directory
from okrgate.database import db, transaction
from okrgate.errors import Conflict, Forbidden, Invalid, NotFound
from okrgate.events import Recipient
from okrgate.events import publish as tell
from okrgate.rulebooks import drafts, service
from okrgate.rulebooks.beginnings import locked
from okrgate.rulebooks.drafts import Draft
from okrgate.rulebooks.models import Process
from okrgate.rulebooks.service import Listed
from okrgate.rulebooks.standing import standing
from okrgate.workshop import keeping, meaning
from okrgate.workshop.checking import check
from okrgate.workshop.impacts import runs
from okrgate.workshop.meaning import Told
from okrgate.workshop.publishing import holders, outlook, policy, rollouts
from okrgate.workshop.publishing import proposal_news as news
from okrgate.workshop.publishing.models import (
    APPROVED,
    OPEN,
    PUBLISHED,
    REFUSED,
    SCHEDULED,
    STOPPED,
    WAITING,
    WITHDRAWN,
    Proposal,
    ProposalDecision,
)
from okrgate.workshop.publishing.proposal_terms import (
    approvals_of,
    as_stored,
    asked_already,
    check_new,
    moment_of,
    record,
)

OVERTAKEN = "Another version was published since this text was begun."
_WHY = "Say what changes and why, for everybody who works by these rules."
_YOU = "you administer okrgate"
_KEEPS_ANOTHER = "You keep another draft of these rules. Publish it or throw it away first."


def propose(
    key: str,
    draft: Draft,
    *,
    by: int,
    in_flight: str = "",
    takes_effect: date | None = None,
    ends_draft: bool = True,
    seen: str = "",
) -> Proposal:
    """Ask for a text to become the next version of its process; it does at once where nobody else has to agree.

    The draft it comes from ends with it; one that was kept meanwhile, elsewhere, stays (`seen`, as in keeping).
    `in_flight` is keep or migrate; empty, what the text itself says. Raises Invalid without a note, for a day that is over or another process's text, RulebookError for an unsound text,
    Overtaken when another version came first, Conflict when it binds already or is asked for on other terms. The same twice is asked for once.
    """
    moment = moment_of(takes_effect)
    if not draft.note.strip():
        raise Invalid(_WHY, {"note": _WHY})
    check(key, draft.text)
    in_flight = in_flight or service.parsed(draft.text).in_flight
    if in_flight not in news.IN_FLIGHT:
        raise Invalid("Say what becomes of the projects that are under way.", {"in_flight": ""})
    base = standing(key)
    digest = hashlib.sha256(draft.text.encode()).hexdigest()
    check_new(base, draft, digest)
    told = meaning.since(base, draft.text)
    shown = _impact(base, draft.text, by=by, told=told)
    title, names = service.parsed(draft.text).title, directory.names([by])
    with transaction() as session:
        process = locked(key)
        check_new(standing(key), draft, digest)
        asked, needed = _asked(by, told)
        known = _same(process.id, by, digest, draft.based_on)
        if known is not None:
            if (known.takes_effect_at, known.in_flight) != (moment, in_flight):
                raise Conflict(asked_already(known))
            return known
        proposal = Proposal(
            process_id=process.id,
            text=draft.text,
            sha256=digest,
            note=draft.note.strip(),
            based_on=draft.based_on,
            author_id=by,
            created_at=clock.now(),
            takes_effect_at=moment,
            in_flight=in_flight,
            state=WAITING,
            needed=needed,
            loosens=told.loosens,
            asked=asked,
            changes=as_stored(told),
            impact=list(shown),
            unheld=holders.unheld(draft.text),
        )
        session.add(proposal)
        session.flush()
        record("proposed", proposal, by=by, reason=proposal.note)
        if needed:
            runs.ask(key, draft.text, by=by)
            tell(news.asking(proposal, title, names.get(by, "Somebody")))
        _go_on(proposal, process)
        if ends_draft and keeping.is_known(key, draft, seen=seen, by=by):
            drafts.discard(key, by=by)
        return proposal


def _asked(author: int, told: Told) -> tuple[list[int], int]:
    """Return who may approve a text and how many of them it needs, by what is settled now."""
    terms = policy.in_force()
    people, possible = policy.electorate(author, terms)
    return people, policy.needed(terms, loosens=told.loosens, possible=possible)


def _impact(base: Listed, text: str, *, by: int, told: Told) -> tuple[str, ...]:
    """Say what a text would do to projects, where somebody has to think about it."""
    if not base.number or not _asked(by, told)[1]:
        return ()
    return outlook.sentences(base.process, text)


def decide(proposal_id: int, *, by: int, approves: bool, words: str, digest: str) -> Proposal:
    """Say yes or no to exactly the text that was read (`digest`). The last yes that was needed publishes it.

    Raises Forbidden for whoever may not, Invalid for a no without a reason, Conflict when it is over or was said before.
    """
    proposal = get(proposal_id)
    if proposal.sha256 != digest:
        raise Conflict("This is not the text that you read. Look at it again.")
    if not approves and len(words.strip()) < 3:
        sentence = "Say why not, so that the author can act on it."
        raise Invalid(sentence, {"words": sentence})
    key = _key(proposal)
    if approves:
        # Outside the lock: it takes a process of its own. What was found is known when it is asked for again.
        check(key, proposal.text)
    names = directory.names([by])
    with transaction() as session:
        process = locked(key)
        proposal = _again(proposal_id)
        refusal = why_not(proposal, by, approves=approves)
        if proposal.state not in OPEN:
            raise Conflict(said_of(proposal))
        if refusal:
            raise Forbidden(refusal)
        if _spoke(proposal_id, by):
            raise Conflict("You have already said what you think of this text.")
        session.add(
            ProposalDecision(
                proposal_id=proposal_id,
                person_id=by,
                decision=APPROVED if approves else REFUSED,
                words=words.strip(),
                sha256=digest,
                at=clock.now(),
            )
        )
        session.flush()
        record(APPROVED if approves else REFUSED, proposal, by=by, reason=words.strip())
        if approves:
            _go_on(proposal, process)
        else:
            _end(proposal, REFUSED, by=by, because=words.strip())
        if proposal.state != STOPPED:
            left = max(0, proposal.needed - approvals_of(proposal.id))
            name = names.get(by, "Somebody")
            tell(
                news.decided(
                    proposal, process.title, by=by, name=name, words=words, still_needed=left
                )
            )
        return proposal


def withdraw(proposal_id: int, *, by: int) -> Proposal:
    """Take a proposal back before it binds anybody. Its author may; nothing happens the second time."""
    key = _key(get(proposal_id))
    names = directory.names([by])
    with transaction():
        process = locked(key)
        proposal = _again(proposal_id)
        if proposal.state == WITHDRAWN:
            return proposal
        if proposal.author_id != by:
            raise Forbidden("Only its author can withdraw it. You can refuse it.")
        if proposal.state not in OPEN:
            raise Conflict(said_of(proposal))
        _end(proposal, WITHDRAWN, by=by)
        record(WITHDRAWN, proposal, by=by)
        people = tuple(Recipient(one, _YOU) for one in proposal.asked)
        tell(news.ended(proposal, process.title, people, names.get(by, "Somebody"), by))
        return proposal


def stop(proposal_id: int, because: str) -> None:
    """Give a proposal up that cannot bind any more, and tell its author and the other administrators."""
    key, admins = _key(get(proposal_id)), directory.admins()
    with transaction():
        process = locked(key)
        proposal = _again(proposal_id)
        if proposal.state in OPEN:
            _stop(proposal, process, because, admins)


def put_in_force(proposal_id: int) -> None:
    """Make a proposal whose day has come, and that was checked again, the next version."""
    key = _key(get(proposal_id))
    check(key, get(proposal_id).text)
    with transaction():
        process = locked(key)
        proposal = _again(proposal_id)
        if proposal.state == SCHEDULED:
            _go_on(proposal, process)


def get(proposal_id: int) -> Proposal:
    """Return a proposal. Raises NotFound."""
    found = db.session().get(Proposal, proposal_id)
    if found is None:
        raise NotFound
    return found


def take_up(proposal_id: int, *, by: int) -> str:
    """Make its text somebody's own draft. Return the process. Raises Conflict where they keep another draft.

    Another note or another version below makes it another draft too.
    """
    proposal = get(proposal_id)
    key = _key(proposal)
    taken = Draft(proposal.text, proposal.note, proposal.based_on)
    with transaction():
        locked(key)
        if drafts.begin(key, by=by).changed_at is None:
            drafts.keep(key, taken, by=by)
        elif not keeping.is_known(key, taken, seen="", by=by):
            raise Conflict(_KEEPS_ANOTHER)
    return key


def why_not(proposal: Proposal, person: int, *, approves: bool = True) -> str:
    """Return the sentence that says why somebody may not approve (or refuse) a proposal; empty when they may."""
    if person == proposal.author_id and not (approves and person in proposal.asked):
        return "You wrote this: somebody else has to approve it. You can withdraw it."
    if approves and person not in proposal.asked:
        return (
            "When this was proposed you had not been an administrator for a day, or had made its author one "
            "that day, so you cannot approve it."
        )
    return ""


def said_of(proposal: Proposal) -> str:
    """Say how a proposal stands."""
    return {
        WAITING: "It waits for approval.",
        SCHEDULED: "It is approved and waits for its day.",
        PUBLISHED: "It is published already.",
        WITHDRAWN: "Its author withdrew it.",
        REFUSED: "It was refused.",
        STOPPED: f"It was not published: {proposal.ended_because}",
    }[proposal.state]


def _go_on(proposal: Proposal, process: Process) -> None:
    """Take the next step, in the open transaction: wait for more, wait for the day, or publish."""
    if approvals_of(proposal.id) < proposal.needed:
        return
    moment = proposal.takes_effect_at
    if moment is not None and moment > clock.now():
        if proposal.state != SCHEDULED:
            proposal.state = SCHEDULED
            record(SCHEDULED, proposal, by=None)
        return
    try:
        version = service.publish(
            proposal.text, by=proposal.author_id, note=proposal.note, based_on=proposal.based_on
        )
    except Conflict as problem:
        _stop(
            proposal,
            process,
            OVERTAKEN if isinstance(problem, service.Overtaken) else problem.sentence,
        )
        return
    before = service.version_of(process.key, proposal.based_on) if proposal.based_on else None
    rollouts.begin(version, before, in_flight=proposal.in_flight)
    _end(proposal, PUBLISHED, by=None)
    proposal.version_id = version.id
    db.session().flush()
    for other in _others(proposal):
        _stop(other, process, OVERTAKEN)


def _stop(
    proposal: Proposal, process: Process, because: str, admins: list[int] | None = None
) -> None:
    _end(proposal, STOPPED, by=None, because=because)
    record(STOPPED, proposal, by=None, reason=because)
    others = [one for one in admins or directory.admins() if one != proposal.author_id]
    people = (
        Recipient(proposal.author_id, "you proposed it", asked=True),
        *(Recipient(one, _YOU) for one in others),
    )
    tell(news.ended(proposal, process.title, people, "okrgate", None))


def _end(proposal: Proposal, state: str, *, by: int | None, because: str = "") -> None:
    proposal.state, proposal.ended_at = state, clock.now()
    proposal.ended_by_id, proposal.ended_because = by, because


def _again(proposal_id: int) -> Proposal:
    return db.session().get_one(Proposal, proposal_id, populate_existing=True)


def _same(process_id: int, author: int, digest: str, based_on: int) -> Proposal | None:
    """Return the proposal of the same form that was sent before, if it still waits."""
    return db.session().scalar(
        select(Proposal).where(
            Proposal.process_id == process_id,
            Proposal.author_id == author,
            Proposal.sha256 == digest,
            Proposal.based_on == based_on,
            Proposal.state.in_(OPEN),
        )
    )


def _others(proposal: Proposal) -> list[Proposal]:
    query = select(Proposal).where(
        Proposal.process_id == proposal.process_id,
        Proposal.state.in_(OPEN),
        Proposal.id != proposal.id,
    )
    return list(db.session().scalars(query))


def _spoke(proposal_id: int, person: int) -> bool:
    query = select(ProposalDecision.id).where(
        ProposalDecision.proposal_id == proposal_id, ProposalDecision.person_id == person
    )
    return db.session().scalar(query) is not None


def _key(proposal: Proposal) -> str:
    return db.session().get_one(Process, proposal.process_id).key
