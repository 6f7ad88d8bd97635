"""Tell a project's history: one line for each audit row."""

from collections.abc import Mapping, Sequence
from typing import Any

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
}
_WORDS = {
    "project.started": "Project started",
    "project.adopted": "Project taken over from a file",
    "round.opened": "Sign-off asked for",
    "round.satisfied": "Sign-off complete",
    "round.voided": "Sign-off lapsed",
    "round.left": "Sign-off ended without a result",
    "waiver.granted": "Requirement set aside",
    "condition.closed": "Condition met",
    "role.unheld": "Nobody holds a role that is needed",
    "comment.added": "Commented",
    "comment.edited": "Comment corrected",
    "comment.withdrawn": "Comment withdrawn",
}


def people_in(entries: Sequence[Entry]) -> set[int]:
    """Return the ids of the people a history names."""
    return {
        one
        for entry in entries
        for one in (entry.actor_id, entry.on_behalf_of_id)
        if one is not None
    }


def tell(
    entries: Sequence[Entry], names: Mapping[int, str], gates: Mapping[str, str], *, private: bool
) -> list[dict[str, Any]]:
    """Return the lines of a history: what, by, at, detail, icon, tone. `private` shows guarded values too."""
    return [
        _line(entry, names, gates, private)
        for entry in entries
        if private or not _is_private(entry)
    ]


def _is_private(entry: Entry) -> bool:
    """Tell whether even that it happened is only for those involved."""
    return entry.action.startswith("comment.") and bool(entry.details.get("private"))


def _line(
    entry: Entry, names: Mapping[int, str], gates: Mapping[str, str], private: bool
) -> dict[str, Any]:
    what, detail, icon, tone = _tell(entry, gates, private)
    line: dict[str, Any] = {
        "what": what,
        "at": entry.at,
        "detail": detail,
        "icon": icon,
        "tone": tone,
        "by": names.get(entry.actor_id, "Somebody") if entry.actor_id is not None else "okrgate",
    }
    if entry.on_behalf_of_id is not None:
        line["acting_for"] = names.get(entry.on_behalf_of_id, "somebody")
    return line


def _tell(entry: Entry, gates: Mapping[str, str], private: bool) -> tuple[str, str, str, str]:
    details = entry.details
    if entry.action == "project.moved":
        icon, tone = _ICONS.get(details.get("kind", ""), ("arrow-right", "neutral"))
        what = f"{details['label']}: {details['from_label']} → {details['to_label']}"
        more = [
            entry.reason,
            details.get("revisit") or details.get("condition") or details.get("date") or "",
        ]
        return what, " · ".join(one for one in more if one), icon, tone
    if entry.action in _DECISIONS:
        word, tone = _DECISIONS[entry.action]
        gate = gates.get(details.get("gate", ""), "")
        what = f"{word}: {gate}" if gate else word
        return what, entry.reason if private else "", "check" if tone == "success" else "x", tone
    if entry.action == "section.saved":
        return (
            f"{details['section']} saved",
            _changes(details.get("changes", ()), private),
            "pencil",
            "neutral",
        )
    word = _WORDS.get(entry.action) or entry.action.replace(".", " ").replace("_", " ").capitalize()
    gate = gates.get(details.get("gate", ""), "")
    return (
        (f"{word}: {gate}" if gate else word),
        entry.reason if private else "",
        "point",
        "neutral",
    )


def _changes(changes: Sequence[Mapping[str, Any]], private: bool) -> str:
    shown = []
    for change in changes[:4]:
        if change.get("private") and not private:
            shown.append(str(change["label"]))
            continue
        after = str(change["after"])
        shown.append(
            f"{change['label']}: {after[:80] + '…' if len(after) > 80 else after or 'emptied'}"
        )
    if len(changes) > 4:
        shown.append(f"and {len(changes) - 4} more")
    return "; ".join(shown)
