"""Before and after a move: all answers of the present stage on one page, and then what happens next."""

import secrets
from collections.abc import Iterable, Sequence
from typing import Any

from flask import redirect, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from okrgate import clock
from okrgate.accounts import directory
from okrgate.accounts.working_days import calendar_of
from okrgate.approvals import entitlement
from okrgate.gates.model import Rulebook, Stage
from okrgate.projects import together
from okrgate.projects.models import RulebookAnswer
from okrgate.projects.sections import Section
from okrgate.stages import cards, judging, panel, picture, reading
from okrgate.stages.preparing import who_may
from okrgate.stages.sections import answers_of, section_for
from okrgate.stages.views import blueprint, reader
from okrgate.web.filters import show_date
from okrgate.web.htmx import render
from okrgate.web.permissions import requires, signed_in
from okrgate.web.render import me

_FORWARD = "forward"


@blueprint.get("/projects/<reference>/check")
@requires(signed_in)
def check(reference: str) -> ResponseReturnValue:
    """Show every answer of the present stage, what its gate still misses, and the button that sends it on."""
    loaded = reading.load(reference, reader())
    verdicts = judging.stored(loaded.project.id)
    moves = [one for one in reading.moves(loaded, verdicts) if one.transition.kind == _FORWARD]
    return render(
        "stages/check.html",
        loaded=loaded,
        project=loaded.project,
        stage=loaded.rulebook.stages[loaded.project.stage],
        moves=moves,
        missing=_missing(loaded, panel.panels(loaded, verdicts, {})["now"], moves),
        sections=_sections(loaded),
        sending={"version": loaded.project.version, "key": secrets.token_hex(16)},
    )


@blueprint.get("/projects/<reference>/moved")
@requires(signed_in)
def show_moved(reference: str) -> ResponseReturnValue:
    """Say where a project is since its last move forward, and what happens next."""
    loaded = reading.load(reference, reader())
    stays = reading.visits(loaded.project.id)
    home = url_for("stages.show_project", reference=reference)
    if len(stays) < 2 or stays[-2].kind != _FORWARD:
        return redirect(home, 303)
    stage = loaded.rulebook.stages[loaded.project.stage]
    return render(
        "stages/moved.html",
        loaded=loaded,
        project=loaded.project,
        stage=stage,
        steps=[*_who_acts(loaded, stage), *_till_when(loaded, stage), *_news(stage)],
        changes=_changes(loaded, stage),
    )


def _missing(
    loaded: reading.Loaded, panels: Iterable[dict[str, Any]], moves: Sequence[reading.Move]
) -> list[dict[str, Any]]:
    """Return what the gates of these moves still miss, each once, with the way to the field that puts it right."""
    wanted = {one.transition.label for one in moves}
    found: dict[str, dict[str, Any]] = {}
    for shown in panels:
        if shown["transition"] not in wanted:
            continue
        for finding in shown["verdict"]["findings"]:
            if finding["status"] == "missing":
                url = finding.get("url") or shown["links"].get(finding["fix"])
                found.setdefault(
                    finding["id"],
                    {
                        "message": finding["message"],
                        "blocks": finding["blocks"],
                        "url": _and_back(url) if url else None,
                    },
                )
    return sorted(found.values(), key=lambda one: not one["blocks"])


def _and_back(url: str) -> str:
    """Return the address with the wish to come back here after saving."""
    path, mark, anchor = url.partition("#")
    return f"{path}?return_to=check{mark}{anchor}"


def _sections(loaded: reading.Loaded) -> list[dict[str, Any]]:
    """Return the parts of the present stage with every answer, read together."""
    roles = loaded.rulebook.stages[loaded.project.stage].sections
    parts = [
        (section, bool(set(editors) & loaded.roles))
        for key, editors in roles.items()
        if (section := section_for(loaded.rulebook, key))
    ]
    tables = dict.fromkeys(table for section, _ in parts for table in section.tables)
    with together.reading(loaded.project.id, [*tables, RulebookAnswer]):
        return [_part(loaded, section, mine) for section, mine in parts]


def _part(loaded: reading.Loaded, section: Section, mine: bool) -> dict[str, Any]:
    reference = loaded.project.reference
    private = current_user.is_auditor or loaded.involved
    here: dict[str, Any] = {"reference": reference, "section": section.key, "return_to": "check"}
    rows: list[dict[str, Any]] = []
    for one in answers_of(section, loaded.project, loaded.rulebook):
        text = one.text if private or not one.private else "Only for those involved"
        row = {"label": one.label, "value": text or "Nothing yet", "bands": one.bands}
        if mine and section.page(one.page):
            row["url"] = url_for("stages.edit_page", page=one.page, _anchor=one.field, **here)
        rows.append(row)
    return {
        "title": section.title,
        "rows": rows,
        "url": url_for("stages.show_section", **here) if mine else None,
    }


def _who_acts(loaded: reading.Loaded, stage: Stage) -> list[str]:
    """Name who has to do something now: those a sign-off waits for, else those who fill in, else those who move it on."""
    waiting = cards.open_round_line(loaded.project.id, me())
    if waiting:
        by = f" by {show_date(waiting['due'])}" if waiting["due"] else ""
        names = _names(waiting["waiting"])
        if names:
            return [f"{names} {'decides' if len(waiting['waiting']) == 1 else 'decide'}{by}."]
        return [
            "Nobody holds the role that signs here. The administrators were told and can give it to somebody."
        ]
    forward = [one for one in loaded.rulebook.transitions_from(stage.id) if one.kind == _FORWARD]
    filling = [role for roles in stage.sections.values() for role in roles]
    moving = [role for one in forward for role in one.by]
    said = []
    for role, people in _held(loaded, dict.fromkeys([*filling, *moving])).items():
        parts = [
            section.title
            for key, roles in stage.sections.items()
            if role in roles and (section := section_for(loaded.rulebook, key))
        ]
        acts = [f"fills in {_joined(parts)}"] if parts else []
        acts += [f"can choose “{one.label}”" for one in forward if role in one.by]
        label = loaded.rulebook.roles[role].label
        who = f"{label} ({people})" if people else f"{label} (nobody yet)"
        said.append(f"{who} {' and then '.join(acts)}.")
    return said


def _till_when(loaded: reading.Loaded, stage: Stage) -> list[str]:
    if not stage.sla_days or stage.terminal:
        return []
    entered = loaded.project.stage_entered_at.astimezone(clock.company_zone()).date()
    due = calendar_of(loaded.project.home_unit_id).after(entered, stage.sla_days)
    return [f"“{stage.label}” should be done by {show_date(due)}; who acts is reminded before."]


def _news(stage: Stage) -> list[str]:
    if stage.terminal:
        return ["Everybody with a part in it got a mail. Everything stays readable."]
    return [
        "Whoever acts next got a mail just now. You get one when it moves on, comes back, or somebody asks you something."
    ]


def _changes(loaded: reading.Loaded, stage: Stage) -> dict[str, Any]:
    """Say how the reader changes something meanwhile: themselves, or by asking somebody to send it back."""
    mine = [
        {
            "title": section.title,
            "url": url_for("stages.show_section", reference=loaded.project.reference, section=key),
        }
        for key, roles in stage.sections.items()
        if set(roles) & loaded.roles and (section := section_for(loaded.rulebook, key))
    ]
    back = [
        f"To change what is closed now, choose “{one.label}”."
        if set(one.by) & loaded.roles
        else f"To change what is closed now, ask {who_may(loaded.rulebook, one)} to choose “{one.label}”."
        for one in loaded.rulebook.transitions_from(stage.id)
        if one.kind == "return" and one.by
    ]
    return {"mine": mine, "back": list(dict.fromkeys(back))}


def _held(loaded: reading.Loaded, roles: Iterable[str]) -> dict[str, str]:
    """Return the names of those who hold each of these roles."""
    rulebook: Rulebook = loaded.rulebook
    wanted = list(roles)
    if reading.hang_on_facts(rulebook, wanted):
        around = picture.of(loaded.project, rulebook).around
    else:
        around = reading.light_surroundings(loaded.project, loaded.unit, loaded.co_editors)
    held = entitlement.holders(rulebook, wanted, around)
    names = directory.names({one for people in held.values() for one in people})
    return {
        role: _joined(sorted(names.get(one, "Somebody") for one in people))
        for role, people in held.items()
    }


def _names(people: Iterable[int]) -> str:
    return _joined(sorted(directory.names(people).values()))


def _joined(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
