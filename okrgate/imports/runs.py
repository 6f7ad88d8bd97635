"""Files that administrators brought, and what is asked to be done with them: `running` does it.

Several administrators may look at one file. Whatever changes how it is read, or starts or stops a run, says with a
stamp what its page was made of; it is refused once that is no longer so.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from sqlalchemy import select

from okrgate import clock
from okrgate.accounts import directory
from okrgate.audit import service as audit
from okrgate.database import db, transaction
from okrgate.errors import Conflict, Invalid, NotFound
from okrgate.imports.checking import problems_of
from okrgate.imports.detecting import Kind, detect, read
from okrgate.imports.mapping import BadMap
from okrgate.imports.models import ImportFile
from okrgate.imports.offered import offers, to_map
from okrgate.imports.proposing import remember, rulebook_of
from okrgate.imports.reading import Unreadable
from okrgate.imports.service import Import, check_reason

MOST_BYTES = 7 * 1024 * 1024
MOST_AT_ONCE = 500
_LISTED = 30
_UNDER_WAY = ("asked", "running")


def bring(name: str, content: bytes, *, by: int) -> int:
    """Keep a file, with what it seems to be. Raises Invalid for what cannot be read at all."""
    if not content:
        raise Invalid("Choose a file first.", {"file": "Choose a file first."})
    if len(content) > MOST_BYTES:
        sentence = (
            f"The file is larger than {MOST_BYTES // 2**20} MB. Split it, or use the command."
        )
        raise Invalid(sentence, {"file": sentence})
    try:
        kind = detect(content)
        table = read(content, kind)
    except Unreadable as problem:
        raise Invalid(str(problem), {"file": str(problem)}) from problem
    with transaction() as session:
        file = ImportFile(
            name=_printable(name)[:200] or "file",
            by_id=by,
            at=clock.now(),
            content=content,
            kind={"encoding": kind.encoding, "delimiter": kind.delimiter, "sheet": kind.sheet},
            choices={},
            total=len(table.rows),
        )
        session.add(file)
        session.flush()
        audit.record(
            "import.brought", by=by, target=f"import:{file.id}", details={"name": file.name}
        )
        return file.id


def _printable(name: str) -> str:
    """Return a file's name without what no database keeps: the browser sends any bytes it likes."""
    return "".join(sign for sign in name if sign.isprintable())


def listed() -> list[tuple[ImportFile, str]]:
    """Return the files brought last, with who brought them."""
    files = list(
        db.session().scalars(select(ImportFile).order_by(ImportFile.id.desc()).limit(_LISTED))
    )
    names = directory.names(file.by_id for file in files)
    return [(file, names.get(file.by_id, "Somebody")) for file in files]


def get(file_id: int) -> ImportFile:
    """Return a file. Raises NotFound."""
    file = db.session().get(ImportFile, file_id)
    if file is None:
        raise NotFound
    return file


def stamp(file: ImportFile) -> str:
    """Return a mark of all that a page about this file is made of: how it is read, what is done with it, what was found."""
    finished = file.finished_at.isoformat() if file.finished_at else ""
    state = "under way" if file.state in _UNDER_WAY else file.state
    return _mark([reading(file), file.task, state, file.reason, finished])


def reading(file: ImportFile) -> str:
    """Return a mark of how a file is read: another one means that somebody chose otherwise."""
    return _mark([file.id, file.kind, file.choices])


def _mark(made_of: list[Any]) -> str:
    return sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:32]


def _check_seen(file: ImportFile, seen: str) -> None:
    if stamp(file) == seen:
        return
    if file.state in _UNDER_WAY:
        doing = "taken over" if file.task == "adopt" else "tried"
        raise Conflict(f"Somebody else was faster: the rows are being {doing} now, as shown below.")
    if _is_taken_over(file):
        raise Conflict("Somebody else was faster: the rows of this file were taken over.")
    raise Conflict(
        "Somebody changed how this file is read after you opened this page. Nothing was done. "
        "Look at what holds now, then decide again."
    )


def _is_taken_over(file: ImportFile) -> bool:
    return file.state == "done" and file.task == "adopt"


def choose_kind(file_id: int, kind: Kind, *, seen: str, by: int) -> None:
    """Read the file another way. Raises Invalid when it cannot be read so, Conflict when `seen` is not its stamp."""
    file = get(file_id)
    _check_seen(file, seen)
    try:
        table = read(file.content, kind)
    except Unreadable as problem:
        raise Invalid(str(problem)) from problem
    with transaction():
        _open(file, seen)
        file.kind = {"encoding": kind.encoding, "delimiter": kind.delimiter, "sheet": kind.sheet}
        file.total, file.state, file.choices = len(table.rows), "mapping", {}
        audit.record("import.read_anew", by=by, target=f"import:{file.id}")


def ask_check(file_id: int, choices: Mapping[str, Any], *, seen: str, by: int) -> None:
    """Have every row tried; nothing is written but what was found.

    Raises Invalid with all that is missing, Conflict when `seen` is not the file's stamp.
    """
    file = get(file_id)
    _check_seen(file, seen)
    table = read(file.content, Kind(**file.kind))
    rulebook = rulebook_of(str(choices.get("process", "")))
    known = offers(rulebook)
    problems = problems_of(choices, table.header, known, rulebook)
    try:
        Import(table, to_map(choices, known), by=by, reason="")
    except BadMap as problem:
        # Without all the columns there is no map yet; what it lacks is said already.
        problems = problems or list(problem.sentences)
    except Unreadable as problem:
        problems = problems or [str(problem)]
    if problems:
        raise Invalid(problems[0], {str(number): one for number, one in enumerate(problems)})
    with transaction():
        _open(file, seen)
        file.choices = dict(choices)
        _reset(file, "check", len(table.rows))
        remember(table.header, choices, by)


def ask_adopt(file_id: int, *, reason: str, all_or_nothing: bool, seen: str, by: int) -> None:
    """Have the rows taken over.

    Raises Invalid without a reason, Conflict when they were not tried before or `seen` is not the preview's stamp.
    """
    file = get(file_id)
    with transaction():
        db.session().refresh(file, with_for_update=True)
        _check_seen(file, seen)
        check_reason(reason)
        if file.state != "checked":
            raise Conflict("Look at the preview first: it says what would come in.")
        if all_or_nothing and file.refused_rows:
            raise Invalid(
                "Some rows would not come in, so nothing can. Mend the file, or take the good rows."
            )
        if all_or_nothing and file.total > MOST_AT_ONCE:
            raise Invalid(f"All or nothing is for files of at most {MOST_AT_ONCE} rows.")
        file.reason, file.all_or_nothing, file.by_id = reason.strip(), all_or_nothing, by
        _reset(file, "adopt", file.total)


def cancel(file_id: int, *, seen: str, by: int) -> None:
    """Stop a run, unless it is over. What came in stays. Raises Conflict when `seen` is the stamp of another run."""
    with transaction():
        file = get(file_id)
        db.session().refresh(file, with_for_update=True)
        if file.state in _UNDER_WAY:
            _check_seen(file, seen)
            file.state, file.problem = "stopped", "Stopped by hand. What came in before stays."
            file.finished_at = clock.now()
            audit.record("import.stopped", by=by, target=f"import:{file.id}")


def _open(file: ImportFile, seen: str) -> None:
    db.session().refresh(file, with_for_update=True)
    _check_seen(file, seen)
    if file.state in _UNDER_WAY or _is_taken_over(file):
        raise Conflict(
            "This file is being taken over, or was. Bring it again to read it another way."
        )


def _reset(file: ImportFile, task: str, total: int) -> None:
    file.task, file.state, file.total = task, "asked", total
    file.done = file.adopted = file.known = file.refused_rows = 0
    file.refused, file.problem, file.finished_at, file.claimed_until = [], "", None, None
