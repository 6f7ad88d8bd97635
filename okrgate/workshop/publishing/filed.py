"""Rules whose source is a file (OKRGATE_RULES): what it says binds, as soon as it is sound, and nobody edits them here.

The worker looks each minute, and every start does. A file that cannot be read or is not sound changes nothing: the rules
that bind stay in force, and administrators are told.
"""

import hashlib
from pathlib import Path

import structlog
from flask import current_app

from okrgate.config import Settings
from okrgate.database import db
from okrgate.errors import Conflict
from okrgate.gates.problems import RulebookError
from okrgate.rulebooks import service
from okrgate.rulebooks.drafts import LONGEST
from okrgate.watching import incidents
from okrgate.workshop.publishing import rollouts

log = structlog.get_logger()

_REFUSED = "okrgate.rules_file.refused"


def source() -> Path | None:
    """Return the file that the rules come from, if they do."""
    settings: Settings = current_app.extensions["okrgate.settings"]
    return settings.rules_source


def sentence() -> str:
    """Say why nobody edits the rules here; empty when they may."""
    path = source()
    if path is None:
        return ""
    return (
        f"The rules come from the file {path.name}, which whoever runs this installation keeps. "
        "Here they can be read, checked and tried, not changed."
    )


def read(path: Path) -> str:
    """Return a rules file's text. Raises RulebookError or OSError when there is none to be had."""
    with path.open("rb") as file:
        content = file.read(LONGEST + 1)
    if len(content) > LONGEST:
        raise ValueError("it is longer than a rulebook may be")
    return content.decode("utf-8")


def follow() -> str:
    """Publish what the file says where it is not what binds already. Return what is wrong with it, or nothing."""
    path = source()
    if path is None:
        return ""
    try:
        text = read(path)
    except (OSError, ValueError) as problem:
        return _refuse(path, "", f"{path.name} cannot be read: {problem}")
    digest = hashlib.sha256(text.encode()).hexdigest()
    if any(one.sha256 == digest for one in service.binding()):
        return _accept()
    known = current_app.extensions.get(_REFUSED)
    if known is not None and known[0] == digest:
        return str(known[1])
    try:
        service.check_sound(text)
        note = service.parsed(text).change_note or f"From the file {path.name}"
        version = rollouts.publish_now(text, by=None, note=note)
    except RulebookError as error:
        wrong = next(one for one in error.problems if one.severity == "error")
        return _refuse(path, digest, f"{path.name}: {wrong}")
    except Conflict as problem:
        # Another host was faster with the same file.
        log.info("rules file not published", sentence=problem.sentence)
        return ""
    log.info("rules file published", file=str(path), version=version.number)
    return _accept()


def _refuse(path: Path, digest: str, detail: str) -> str:
    if digest:
        current_app.extensions[_REFUSED] = digest, detail
    db.session().rollback()
    log.warning("rules file refused", file=str(path), detail=detail)
    incidents.arise(incidents.RULES_FILE, detail[:500])
    return detail


def _accept() -> str:
    current_app.extensions.pop(_REFUSED, None)
    incidents.subside(incidents.RULES_FILE)
    return ""
