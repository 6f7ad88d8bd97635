"""Publish a text that was worked on, or bring an older one back."""

from okrgate.errors import Conflict, Invalid
from okrgate.rulebooks import drafts, service
from okrgate.rulebooks.drafts import Draft
from okrgate.rulebooks.models import RulebookVersion
from okrgate.workshop.checking import check


def publish(key: str, draft: Draft, *, by: int) -> RulebookVersion:
    """Publish a text as the next version of this process; the author's draft is done with.

    Raises Invalid without a note or for another process's text, RulebookError for an unsound one, Overtaken when
    another version came first, Conflict when it binds already.
    """
    if not draft.note.strip():
        sentence = "Say what changes and why, for everybody who works by these rules."
        raise Invalid(sentence, {"note": sentence})
    check(key, draft.text)
    version = service.publish(draft.text, by=by, note=draft.note, based_on=draft.based_on)
    drafts.discard(key, by=by)
    return version


def roll_back(version: service.Listed, *, note: str, based_on: int, by: int) -> RulebookVersion:
    """Publish the text of an older version again. Raises what `publish` raises."""
    if version.number == based_on:
        raise Conflict("This version binds already.")
    return publish(version.process, Draft(version.text, note, based_on), by=by)
