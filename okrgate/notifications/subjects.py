"""What each event is called in one line: a mail's subject and a row of the inbox."""

from functools import singledispatch

from okrgate import events
from okrgate.events import Event
from okrgate.notifications.wording import day, moment

_MOVES = {
    "return": "sent back to {target}",
    "park": "on hold",
    "resume": "back in {target}",
    "decline": "declined",
    "withdraw": "withdrawn",
    "stop": "stopped",
}


@singledispatch
def headline(event: Event) -> str:
    """Say in a few words what happened. Raises LookupError for an event nobody wrote words for."""
    raise LookupError(f"{type(event).__name__} has no headline.")


def asked(event: Event) -> bool:
    """Tell whether the event's one recipient is asked to act."""
    return any(recipient.asked for recipient in event.recipients)


def _by_when(due: str) -> str:
    return f" by {day(due)}" if due else ""


@headline.register
def _(event: events.ProjectMoved) -> str:
    return _MOVES.get(event.kind, "now in {target}").format(target=event.target)


@headline.register
def _(event: events.ProjectCameBack) -> str:
    return f"back on the table, after {event.before}"


@headline.register
def _(event: events.HoldOver) -> str:
    return "the day to look at it again has come" if event.until else "still on hold"


@headline.register
def _(event: events.HandedOver) -> str:
    if event.you == "new":
        return f"assigned to you: you are its {event.part}"
    if event.you == "former":
        return f"no longer yours: {event.part}"
    return f"{event.to} is its {event.part} now"


@headline.register
def _(event: events.ChangeAsked) -> str:
    return "a change of what was signed needs your decision"


@headline.register
def _(event: events.ChangeDecided) -> str:
    return f"change {'agreed' if event.approved else 'declined'} by {event.by}"


@headline.register
def _(event: events.SignoffAsked) -> str:
    again = " again" if event.again else ""
    return f"sign-off needed{again}{_by_when(event.due)}"


@headline.register
def _(event: events.SignoffDue) -> str:
    if event.escalated:
        return f"overdue: sign-off of {event.gate} was due on {day(event.due)}"
    if event.overdue:
        return f"overdue: your sign-off was due on {day(event.due)}"
    return f"reminder: sign-off due on {day(event.due)}"


@headline.register
def _(event: events.SignoffGiven) -> str:
    return f"{event.gate}: {event.decision.replace('_', ' ')} by {event.by}"


@headline.register
def _(event: events.SignoffWithdrawn) -> str:
    return f"{event.gate}: {event.by} took a decision back"


@headline.register
def _(event: events.SignoffsVoided) -> str:
    return f"sign-offs lapsed for {event.gate}"


@headline.register
def _(event: events.SignoffNotNeeded) -> str:
    return f"your sign-off of {event.gate} is no longer needed"


@headline.register
def _(event: events.ConditionSet) -> str:
    return f"condition for {event.owner}{_by_when(event.due)}"


@headline.register
def _(event: events.ConditionDue) -> str:
    if event.overdue:
        return f"overdue: your condition was due on {day(event.due)}"
    return f"reminder: your condition is due on {day(event.due)}"


@headline.register
def _(event: events.ConditionClosed) -> str:
    return "condition met"


@headline.register
def _(event: events.WaiverGranted) -> str:
    return f"requirement waived until {day(event.expires)}"


@headline.register
def _(event: events.Nudged) -> str:
    return f"{event.by} asks you to look at one thing"


@headline.register
def _(event: events.WaiverAsked) -> str:
    return f"{event.by} asks you to set a requirement aside"


@headline.register
def _(event: events.WaiverRefused) -> str:
    return "a requirement is not set aside"


@headline.register
def _(event: events.PersonNamed) -> str:
    return f"you are {event.part}{_by_when(event.due)}"


@headline.register
def _(event: events.ConfirmationAsked) -> str:
    return f"please confirm {_how_many(len(event.metrics), 'metric')}{_by_when(event.due)}"


@headline.register
def _(event: events.MetricConfirmed) -> str:
    return f"{event.metric} {'confirmed' if event.confirmed else 'cannot be reported as planned'}"


@headline.register
def _(event: events.KickoffInvited) -> str:
    changed = "kick-off moved to" if event.sequence else "kick-off on"
    return f"{changed} {moment(event.starts)}"


@headline.register
def _(event: events.StatementAsked) -> str:
    reminder = "reminder: " if event.reminder else ""
    return f"{reminder}how did it go? Please answer{_by_when(event.due)}"


@headline.register
def _(event: events.StatementGiven) -> str:
    return f"{event.stakeholder} said how it went"


@headline.register
def _(event: events.StatusPosted) -> str:
    return f"status: {event.status.replace('_', ' ')}"


@headline.register
def _(event: events.CheckpointDue) -> str:
    return f"read {event.metric}{_by_when(event.due)}"


@headline.register
def _(event: events.CheckpointRead) -> str:
    return f"{event.metric} is {event.value}: {event.band.replace('_', ' ')}"


@headline.register
def _(event: events.Celebrated) -> str:
    return "the work is done. Thank you!"


@headline.register
def _(event: events.SummarySent) -> str:
    return "closing summary"


@headline.register
def _(event: events.RoleUnheld) -> str:
    return f"nobody is {event.role}"


@headline.register
def _(event: events.AlertRaised) -> str:
    return f"okrgate: {event.sentence[:1].lower()}{event.sentence[1:]}"


@headline.register
def _(event: events.RecordCheckpointed) -> str:
    if not event.whole:
        return f"the record no longer holds: checkpoint at row {event.seq}"
    return f"checkpoint of the record at row {event.seq}, keep this mail"


@headline.register
def _(event: events.CommentAdded) -> str:
    return f"{event.by} commented"


@headline.register
def _(event: events.Mentioned) -> str:
    return f"{event.by} named you in a comment"


@headline.register
def _(event: events.DigestReady) -> str:
    count = len(event.lines) + event.more
    return f"your digest: {count} {'piece' if count == 1 else 'pieces'} of news"


@headline.register
def _(event: events.PersonInvited) -> str:
    return f"{event.by} invites you to okrgate"


@headline.register
def _(event: events.ResetAsked) -> str:
    return "Choose a new password for okrgate"


@headline.register
def _(event: events.EmailChangeAsked) -> str:
    return "Confirm your new address for okrgate"


@headline.register
def _(event: events.EmailChanged) -> str:
    return "Your address in okrgate was changed"


@headline.register
def _(event: events.SecondFactorChanged) -> str:
    if event.kind == "reset":
        return f"the second factor of {event.person or 'your account'} was reset"
    return {
        "added": "a second factor was added to your account",
        "removed": "a second factor was removed from your account",
        "recovery": "a recovery code of your account was used",
    }.get(event.kind, "your account has new recovery codes")


@headline.register
def _(event: events.RolesChanged) -> str:
    return "Your roles have changed"


@headline.register
def _(event: events.DutiesHanded) -> str:
    if event.you_take_over:
        return f"You take over from {event.former}"
    return "What waited for you in okrgate is handed over"


@headline.register
def _(event: events.StandInSet) -> str:
    if event.you_stand_in:
        return f"You stand in for {event.person} from {day(event.starts)} to {day(event.ends)}"
    return f"{event.stand_in} stands in for you from {day(event.starts)} to {day(event.ends)}"


@headline.register
def _(event: events.StandInEnded) -> str:
    if event.you_stand_in:
        return f"You no longer stand in for {event.person}"
    return f"{event.stand_in} no longer stands in for you"


@headline.register
def _(event: events.RulesPublished) -> str:
    return f"New rules: {event.process}, version {event.version}"


@headline.register
def _(event: events.RulesApprovalAsked) -> str:
    return f"{event.by} asks for your approval of new rules: {event.process}"


@headline.register
def _(event: events.RulesProposalDecided) -> str:
    said = {
        "approved": "approved",
        "scheduled": "approved by all, and scheduled",
        "refused": "not approved",
        "withdrawn": "withdrawn",
        "stopped": "not published",
    }[event.outcome]
    return f"New rules {said}: {event.process}"


@headline.register
def _(event: events.RulesForYou) -> str:
    return f"New rules: what changes for you in {event.process}"


@headline.register
def _(event: events.PublishingChanged) -> str:
    return "Who has to approve new rules was changed"


@headline.register
def _(event: events.AdministratorsChanged) -> str:
    if event.you:
        return "You administer okrgate now" if event.is_one else "You no longer administer okrgate"
    return f"{event.person} {'administers okrgate now' if event.is_one else 'no longer administers okrgate'}"


@headline.register
def _(event: events.ProcessRetired) -> str:
    if event.back:
        return f"Projects can start in {event.process} again"
    return f"No new projects start in {event.process}"


@headline.register
def _(event: events.MeetingCalled) -> str:
    return f"Invitation: {event.name}, {moment(event.starts)}"


@headline.register
def _(event: events.MeetingChanged) -> str:
    return f"Changed: {event.name}, {moment(event.starts)}"


@headline.register
def _(event: events.MeetingCancelled) -> str:
    return f"Called off: {event.name}, {moment(event.starts)}"


@headline.register
def _(event: events.MinutesSent) -> str:
    return f"Minutes: {event.name}"


def _how_many(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
