"""How many approvals a text needs before it binds anybody, and how that itself may be changed.

Asking for more counts at once. Asking for less counts a day later, and every administrator is told: whoever wants to
publish cannot lower the bar on the way.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import aliased

from okrgate import clock
from okrgate.accounts import directory
from okrgate.accounts.models import Person
from okrgate.audit import service as audit
from okrgate.database import db, transaction
from okrgate.errors import Conflict, Invalid
from okrgate.events import PublishingChanged, Recipient, publish
from okrgate.workshop.publishing import lately
from okrgate.workshop.publishing.lately import DELAY
from okrgate.workshop.publishing.models import PublishingPolicy

MOST = 5


@dataclass(frozen=True)
class Policy:
    """What is asked of a text: so many approvals, the author's among them or not, one more where it loosens something.

    `version` is the row it comes from, 0 while nobody has saved anything.
    """

    approvals: int = 1
    author_approves: bool = False
    one_more: bool = True
    effective_from: datetime | None = None
    version: int = 0

    @property
    def sentence(self) -> str:
        """Say it in words."""
        if not self.approvals and not self.one_more:
            return "Nobody has to approve; every administrator is told."
        count = f"{self.approvals} approval{'' if self.approvals == 1 else 's'}"
        more = ", one more when something becomes easier" if self.one_more else ""
        who = "the author's own counts" if self.author_approves else "never the author's own"
        return f"{count}{more}; {who}."

    def asks_less_than(self, other: "Policy") -> bool:
        """Tell whether anything could be published under this that could not under the other."""
        return (
            self.approvals < other.approvals
            or self.approvals + self.one_more < other.approvals + other.one_more
            or (self.author_approves and not other.author_approves)
        )


def in_force() -> Policy:
    """Return what counts for a proposal that is made now. What was replaced before its day never counts."""
    newer = aliased(PublishingPolicy)
    replaced = exists().where(
        newer.id > PublishingPolicy.id,
        PublishingPolicy.effective_from > PublishingPolicy.saved_at,
        newer.saved_at < PublishingPolicy.effective_from,
    )
    query = select(PublishingPolicy).where(PublishingPolicy.effective_from <= clock.now())
    return _newest(query.where(~replaced))


def last_saved() -> Policy:
    """Return what was saved last: it may count only from tomorrow on."""
    return _newest(select(PublishingPolicy))


def save(wanted: Policy, *, by: int) -> Policy:
    """Store how publishing goes; `wanted.version` is what it was made from. Every administrator is told.

    Raises Invalid for a number out of bounds, Conflict when somebody saved something else meanwhile.
    """
    if not 0 <= wanted.approvals <= MOST:
        sentence = f"Choose a number from 0 to {MOST}."
        raise Invalid(sentence, {"approvals": sentence})
    names = directory.names([by])
    told = [one for one in directory.admins() if one != by]
    with transaction() as session:
        _lock()
        last, now = last_saved(), in_force()
        if last.version != wanted.version:
            raise Conflict("Somebody else changed this meanwhile. Look at it again, then save.")
        if _said(last) == _said(wanted):
            return last
        delayed = wanted.asks_less_than(now)
        row = PublishingPolicy(
            approvals=wanted.approvals,
            author_approves=wanted.author_approves,
            one_more=wanted.one_more,
            effective_from=clock.now() + DELAY if delayed else clock.now(),
            saved_at=clock.now(),
            saved_by_id=by,
        )
        session.add(row)
        session.flush()
        fresh = _policy(row)
        audit.record(
            "rulebook.publishing_changed",
            by=by,
            details={
                "approvals": [now.approvals, fresh.approvals],
                "author_approves": [now.author_approves, fresh.author_approves],
                "one_more": [now.one_more, fresh.one_more],
                "effective_from": row.effective_from.isoformat(),
            },
        )
        publish(
            PublishingChanged(
                recipients=tuple(Recipient(one, "you administer okrgate") for one in told),
                by=names.get(by, "Somebody"),
                by_id=by,
                path="/admin/publishing",
                before=now.sentence,
                after=fresh.sentence,
                counts_from=row.effective_from.isoformat() if delayed else "",
            )
        )
        return fresh


def electorate(author: int, policy: Policy) -> tuple[list[int], int]:
    """Return who may approve a text of this author, and how many there were a day ago.

    Whoever was administrator until just now still counts, and whoever became one just now does not yet: nobody becomes
    the only one by sending the others away, or finds a second voice by making it an administrator. Nor does whoever
    made the author one today approve their text, where anybody else could.
    """
    known = lately.lately()
    people, there = set(known.are & known.were), set(known.were)
    if not policy.author_approves:
        people, there = people - {author}, there - {author}
        others = people - known.makers(author)
        if others:
            people, there = others, there - known.makers(author)
    return sorted(people), len(there)


def not_yet() -> list[int]:
    """Return the administrators who became one within the last day: they count from a day after that on."""
    return sorted(lately.lately().new)


def needed(policy: Policy, *, loosens: bool, possible: int) -> int:
    """Return how many approvals a text needs: never more than there are people who could give one."""
    return min(policy.approvals + (policy.one_more and loosens), possible)


def _newest(query: Select[PublishingPolicy]) -> Policy:
    row = db.session().scalar(query.order_by(PublishingPolicy.id.desc()).limit(1))
    return _policy(row) if row is not None else Policy()


def _policy(row: PublishingPolicy) -> Policy:
    return Policy(
        row.approvals, row.author_approves, row.one_more, row.effective_from, version=row.id
    )


def _said(one: Policy) -> tuple[int, bool, bool]:
    return one.approvals, one.author_approves, one.one_more


def _lock() -> None:
    """Let two saves at once wait for each other."""
    db.session().execute(select(Person.id).order_by(Person.id).limit(1).with_for_update())
