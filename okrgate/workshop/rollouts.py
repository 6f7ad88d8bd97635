"""What follows from a version that was published."""

from okrgate import clock
from okrgate.database import db
from okrgate.rulebooks.models import RulebookVersion
from okrgate.workshop.models import Rollout


def begin(version: RulebookVersion, before: RulebookVersion | None, *, in_flight: str) -> Rollout:
    """Note, in the transaction that publishes, what is to follow; the worker does it."""
    rollout = Rollout(
        version_id=version.id,
        before_id=before.id if before else None,
        in_flight=in_flight,
        began_at=clock.now(),
        told_up_to=0,
    )
    db.session().add(rollout)
    db.session().flush()
    return rollout
