"""Where saving the last page of a part leads: to the next part that its gate waits for, else to all answers."""

from dataclasses import dataclass

from flask import url_for

from okrgate.projects.sections import Section
from okrgate.stages import editing, judging, panel, reading
from okrgate.stages.sections import section_for


@dataclass(frozen=True)
class Onward:
    """Where a save leads, and the title of the part that comes next, if one does."""

    url: str
    part: str = ""


def onward(loaded: reading.Loaded, saved: Section) -> Onward:
    """Return the next part that still misses something for the next gate and that the reader may edit.

    They come in the order of the task list, beginning behind the one that was saved. Without any the way leads to
    "check your answers", and where no gate leads on to the project.
    """
    reference = loaded.project.reference
    verdicts = [one for one in judging.stored(loaded.project.id) if one.position == 0]
    if not verdicts:
        return Onward(url_for("stages.show_project", reference=reference))
    begun = editing.states(loaded.project.id)
    for key in _after(loaded, saved.key):
        section = section_for(loaded.rulebook, key)
        wanted = [one for one in panel.wanted_of(loaded, verdicts, key) if one["blocks"]]
        if section is None or not wanted:
            continue
        part = url_for("stages.show_section", reference=reference, section=key)
        # A part that nobody began opens at its first page; in one that somebody did, only what is missing counts.
        found = next((one["url"] for one in wanted if one["url"]), None) if key in begun else None
        return Onward(found.partition("#")[0] if found else part, section.title)
    return Onward(url_for("stages.check", reference=reference))


def _after(loaded: reading.Loaded, key: str) -> list[str]:
    """Return the other parts that the reader may edit now, in the order of the task list from this one on."""
    order = list(
        dict.fromkeys(one for stage in loaded.rulebook.stages.values() for one in stage.sections)
    )
    place = order.index(key) if key in order else 0
    here = loaded.rulebook.stages[loaded.project.stage].sections
    return [
        one
        for one in (*order[place + 1 :], *order[:place])
        if set(here.get(one, ())) & loaded.roles
    ]
