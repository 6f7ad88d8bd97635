"""News of the rules: what is proposed, published and retired."""

from dataclasses import dataclass

from okrgate.events.telling import Event


@dataclass(frozen=True, kw_only=True)
class RulesPublished(Event):
    """A new version of a rulebook binds projects."""

    process: str
    version: int
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class RulesApprovalAsked(Event):
    """Somebody wants to publish rules, and these people may say yes or no. `counts_from` is ISO, empty: at once."""

    process: str
    note: str
    changes: tuple[str, ...] = ()
    impact: tuple[str, ...] = ()
    in_flight: str = ""
    counts_from: str = ""
    needed: int = 1
    loosens: bool = False


@dataclass(frozen=True, kw_only=True)
class RulesProposalDecided(Event):
    """Somebody spoke on rules that are to be published, or the day came on which they could not be.

    `outcome` is approved, scheduled, refused, withdrawn or stopped; `reason` says why. `counts_from` is ISO.
    """

    process: str
    note: str
    outcome: str
    reason: str = ""
    counts_from: str = ""
    still_needed: int = 0


@dataclass(frozen=True, kw_only=True)
class RulesForYou(Event):
    """New rules bind, and this is what they mean for one person: their projects, and where their word is needed now.

    `projects` says of each project what becomes of it; `more` were left out.
    """

    process: str
    version: int
    note: str
    changes: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    more: int = 0
    signs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PublishingChanged(Event):
    """How many approvals rules need was changed. `counts_from` is ISO, empty: at once."""

    before: str
    after: str
    counts_from: str = ""


@dataclass(frozen=True, kw_only=True)
class ProcessRetired(Event):
    """No new project starts in a process from now on; or, `back`, some do again."""

    process: str
    reason: str
    back: bool = False
