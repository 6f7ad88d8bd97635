"""News of people and of what they look after: accounts, roles, duties, the record."""

from dataclasses import dataclass

from okrgate.events.telling import Event, ProjectEvent


@dataclass(frozen=True, kw_only=True)
class PersonNamed(ProjectEvent):
    """Somebody was given a part in a project (lead, accountable, owner of a task …)."""

    part: str
    detail: str = ""
    due: str = ""


@dataclass(frozen=True, kw_only=True)
class PersonInvited(Event):
    """Somebody may join. The link's secret is kept apart from the event and never stored in it."""

    channels: tuple[str, ...] = ("mail",)
    valid_hours: int = 72


@dataclass(frozen=True, kw_only=True)
class ResetAsked(Event):
    """Somebody wants a new password."""

    channels: tuple[str, ...] = ("mail",)
    valid_hours: int = 2


@dataclass(frozen=True, kw_only=True)
class EmailChangeAsked(Event):
    """Somebody gave a new address and must prove that it is theirs. The mail goes to `address`, not to theirs."""

    address: str
    channels: tuple[str, ...] = ("mail",)
    valid_hours: int = 24


@dataclass(frozen=True, kw_only=True)
class EmailChanged(Event):
    """Somebody's address was changed. The mail goes to `address`, the one they had before."""

    address: str
    channels: tuple[str, ...] = ("mail",)


@dataclass(frozen=True, kw_only=True)
class SecondFactorChanged(Event):
    """A second factor was added, removed, or all were reset; a recovery code was used, or new ones were made.

    `kind` is added, removed, reset, recovery or codes. `person` names whose it was when others are told.
    """

    kind: str
    factor: str = ""
    person: str = ""


@dataclass(frozen=True, kw_only=True)
class RolesChanged(Event):
    """What somebody may do was changed."""

    gained: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DutiesHanded(Event):
    """Somebody leaves, and what waited for them is another's now. Whoever leaves hears of it, too, by their last mail."""

    former: str
    to: str
    duties: tuple[str, ...]
    you_take_over: bool = False
    channels: tuple[str, ...] = ("mail",)


@dataclass(frozen=True, kw_only=True)
class AdministratorsChanged(Event):
    """Somebody administers okrgate from now on, or no longer. `you`: it is the reader of this."""

    person: str
    is_one: bool
    you: bool = False


@dataclass(frozen=True, kw_only=True)
class AlertRaised(Event):
    """Something is wrong with the machinery. `at` is when it was noticed."""

    kind: str
    sentence: str
    detail: str
    advice: str
    at: str


@dataclass(frozen=True, kw_only=True)
class RecordCheckpointed(Event):
    """The record's head at a moment, to be kept where nobody who could rewrite the record reaches it.

    `rows` were added since the checkpoint before. `whole` tells whether all that can be proved still holds; if not,
    `problem` is what was found first.
    """

    seq: int
    digest: str
    listing: str
    at: str
    rows: int
    whole: bool
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class DigestReady(Event):
    """News that somebody wants together: each (what it is about, what happened, its page). `waiting`: sign-offs asked of them."""

    lines: tuple[tuple[str, str, str], ...]
    more: int = 0
    waiting: int = 0
