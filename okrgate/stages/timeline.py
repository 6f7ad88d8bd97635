"""Tell a project's history: one line for each audit row."""

from collections.abc import Mapping, Sequence
from typing import Any

from okrgate.approvals.receipts import SEALED
from okrgate.audit.models import Entry

# Who moved what: each of these reads "… by NAME".
_ICONS = {
    "forward": ("arrow-right", "success"),
    "return": ("arrow-back-up", "warning"),
    "park": ("player-pause", "warning"),
    "resume": ("player-play", "info"),
    "decline": ("x", "danger"),
    "withdraw": ("x", "neutral"),
    "stop": ("x", "danger"),
}
_DECISIONS = {
    "signoff.approved": ("Approved", "success"),
    "signoff.approved_with_conditions": ("Approved with conditions", "success"),
    "signoff.objected": ("Objected", "danger"),
    "signoff.returned": ("Sent back", "warning"),
    "signoff.held": ("Put on hold", "warning"),
    "signoff.declined": ("Declined", "danger"),
    "signoff.withdrawn": ("Took the decision back", "warning"),
}
_WORDS = {
    "project.started": "Project started",
    "project.came_back": "Came back as",
    "project.adopted": "Project taken over from a file",
    "round.opened": "Sign-off asked for",
    "round.satisfied": "Sign-off complete",
    "round.voided": "Sign-off lapsed",
    "round.left": "Sign-off ended without a result",
    "waiver.granted": "Requirement set aside",
    "condition.closed": "Condition met",
    "change.asked": "Change of what was signed asked for",
    "change.agreed": "Change agreed to",
    "change.refused": "Change declined",
    "change.recalled": "Change taken back",
    "project.handed_over": "Handed over",
    "project.co_editor_added": "Co-editor added",
    "project.co_editor_removed": "Co-editor removed",
    "role.unheld": "Nobody holds a role that is needed",
    "comment.added": "Commented",
    "comment.edited": "Comment corrected",
    "comment.withdrawn": "Comment withdrawn",
    "requirement.nudged": "Asked to put something right",
    "waiver.asked": "Waiver asked for",
    "waiver.refused": "Waiver refused",
    "statement.given": "Said how it went",
    "statement.reminded": "Reminded to say how it went",
    "measurement.confirmed": "Metric confirmed",
    "measurement.not_confirmed": "Metric not confirmed",
    "measurement.reading_corrected": "Reading corrected",
}
_MARKS = {
    "comment": "message",
    "requirement": "hand-stop",
    "waiver": "shield",
    "condition": "clipboard-check",
    "round": "signature",
    "statement": "message-circle",
    "measurement": "chart-line",
}


# What seals a decision says nothing that its own row does not.
_UNTOLD = frozenset({SEALED})

# How each kind of row is told: the macro of that name in components/timeline.html.
_KINDS = {"section": "saved", "signoff": "decision", "waiver": "request", "requirement": "request"}


def people_in(entries: Sequence[Entry]) -> set[int]:
    """Return the ids of the people a history names."""
    found = {
        one
        for entry in entries
        for one in (entry.actor_id, entry.on_behalf_of_id)
        if one is not None
    }
    return found.union(*(_people(entry) for entry in entries))


def tell(
    entries: Sequence[Entry], names: Mapping[int, str], gates: Mapping[str, str], *, private: bool
) -> list[dict[str, Any]]:
    """Return the lines of a history: what, by, at, detail, icon, tone. `private` shows guarded values too."""
    return [
        _line(entry, names, gates, private)
        for entry in entries
        if entry.action not in _UNTOLD and (private or not _is_private(entry))
    ]


def _is_private(entry: Entry) -> bool:
    """Tell whether even that it happened is only for those involved."""
    return entry.action.startswith("comment.") and bool(entry.details.get("private"))


def _line(
    entry: Entry, names: Mapping[int, str], gates: Mapping[str, str], private: bool
) -> dict[str, Any]:
    what, icon, tone = _tell(entry, gates)
    line: dict[str, Any] = {
        "what": what,
        "at": entry.at,
        "detail": _detail(entry, private),
        "icon": icon,
        "tone": tone,
        "kind": _kind(entry),
        "by": names.get(entry.actor_id, "Somebody") if entry.actor_id is not None else "okrgate",
        "changes": _changes(entry.details.get("changes", ()), private)
        if entry.action == "section.saved"
        else [],
        "people": sorted(names.get(one, "somebody") for one in _people(entry)),
        "about": str(entry.details.get("message") or entry.details.get("metric") or ""),
    }
    if entry.action == "project.moved":
        line["way"] = {
            "label": entry.details["label"],
            "source": entry.details["from_label"],
            "target": entry.details["to_label"],
        }
    if entry.on_behalf_of_id is not None:
        line["acting_for"] = names.get(entry.on_behalf_of_id, "somebody")
    return line


def _kind(entry: Entry) -> str:
    if entry.action == "project.moved":
        return "moved"
    return _KINDS.get(entry.action.partition(".")[0], "other")


def _tell(entry: Entry, gates: Mapping[str, str]) -> tuple[str, str, str]:
    """Return what happened in a few words, and its icon and tone."""
    details = entry.details
    if entry.action == "project.moved":
        icon, tone = _ICONS.get(details.get("kind", ""), ("arrow-right", "neutral"))
        return f"{details['label']}: {details['from_label']} → {details['to_label']}", icon, tone
    if entry.action == "section.saved":
        return f"{details['section']} saved", "pencil", "neutral"
    if entry.action == "project.rules_changed":
        said = f"Rules changed: version {details['before']} → version {details['after']}"
        voided = details.get("signoffs") == "voided"
        return f"{said}; sign-off asked for anew" if voided else said, "book", "neutral"
    gate = gates.get(details.get("gate", ""), "")
    if entry.action in _DECISIONS:
        word, tone = _DECISIONS[entry.action]
        icon = "check" if tone == "success" else "x"
    else:
        word = _WORDS.get(entry.action) or _spelled(entry.action)
        icon, tone = _MARKS.get(entry.action.partition(".")[0], "point"), "neutral"
    return f"{word}: {gate}" if gate else word, icon, tone


def _spelled(action: str) -> str:
    """Spell out an action that nobody wrote words for."""
    return action.replace(".", " ").replace("_", " ").capitalize()


def _detail(entry: Entry, private: bool) -> str:
    """Return the reason that was given, where the reader may know it."""
    if entry.action == "project.moved":
        said = entry.details
        until = said.get("revisit") or said.get("condition") or said.get("date") or ""
        return " · ".join(one for one in (said.get("cause", ""), entry.reason, until) if one)
    return entry.reason if private else ""


def _people(entry: Entry) -> set[int]:
    """Return whom a row is about, besides whoever did it."""
    listed = entry.details.get("people", ())
    people = [*(listed if isinstance(listed, list) else ()), entry.details.get("person")]
    return {one for one in people if isinstance(one, int)}


def _changes(changes: Sequence[Mapping[str, Any]], private: bool) -> list[dict[str, str]]:
    return [
        {
            "label": str(change["label"]),
            "before": "" if hidden else _short(str(change.get("before") or "")),
            "after": "" if hidden else _short(str(change["after"] or "")) or "emptied",
        }
        for change in changes
        for hidden in [bool(change.get("private")) and not private]
    ]


def _short(text: str) -> str:
    return text if len(text) <= 300 else f"{text[:300]}…"
