"""An event as plain JSON, and back: the mail is written from what was true then."""

from collections.abc import Iterable
from dataclasses import asdict, fields, replace
from typing import Any

from okrgate import events
from okrgate.events import Event, Recipient

# Events whose mail carries a link that signs somebody in, by their class's name.
SECRETS = frozenset(
    kind.__name__ for kind in (events.PersonInvited, events.ResetAsked, events.EmailChangeAsked)
)


def kinds() -> dict[str, type[Event]]:
    """Return every kind of event that can be told, by its class's name."""
    return {kind.__name__: kind for kind in _below(Event) if not _below(kind)}


def has_secret(event: str) -> bool:
    """Tell whether an event of this kind carries a link that signs somebody in."""
    return event in SECRETS


def take(event: Event, recipient: Recipient) -> dict[str, Any]:
    """Return the event as JSON for one recipient; the others are left out."""
    # Left out before it is spelt: to copy everybody for everybody takes minutes where thousands are told.
    plain = asdict(replace(event, recipients=()))
    del plain["recipients"], plain["channels"]
    return plain | {"why": recipient.why}


def restore(kind: str, snapshot: dict[str, Any], *, person_id: int, asked: bool) -> Event:
    """Build the event again. Fields that this version no longer knows are dropped.

    Raises LookupError for an unknown kind and TypeError when a needed field is missing.
    """
    known = kinds()[kind]
    names = {field.name for field in fields(known)}
    values = {name: _with_tuples(value) for name, value in snapshot.items() if name in names}
    recipient = Recipient(person_id, str(snapshot.get("why", "")), asked)
    return known(**values | {"recipients": (recipient,)})


def _with_tuples(value: Any) -> Any:
    return tuple(_with_tuples(one) for one in value) if isinstance(value, list) else value


def _below(kind: type[Event]) -> list[type[Event]]:
    found: list[type[Event]] = []
    for child in _subclasses(kind):
        found += [child, *_below(child)]
    return found


def _subclasses(kind: type[Event]) -> Iterable[type[Event]]:
    # A slot or test double of a class may live on elsewhere; only what the package of events declares can be stored.
    return [
        child
        for child in kind.__subclasses__()
        if child.__module__.startswith(f"{events.__name__}.")
    ]
