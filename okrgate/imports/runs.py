"""Files that administrators brought: kept, read as chosen, tried and taken over by the worker, with their progress.

A run may be ended by a crash at any row: whoever looks next goes on where it stopped, for a row that came in is known
by its key. Only "all or nothing" is one change; it is therefore kept to small files.
"""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any

import structlog
from sqlalchemy import or_, select, update

from okrgate import clock
from okrgate.accounts import directory
from okrgate.audit import service as audit
from okrgate.database import db, transaction
from okrgate.errors import Conflict, Invalid, NotFound
from okrgate.gates.model import Rulebook
from okrgate.imports.detecting import Kind, date_spelling, detect, read
from okrgate.imports.mapping import BadMap
from okrgate.imports.models import ImportFile, ImportMap
from okrgate.imports.offered import Offer, guess, likeness, offers, problems_of, to_map
from okrgate.imports.reading import Table, Unreadable
from okrgate.imports.service import Import, Report, check_reason
from okrgate.rulebooks import service as rulebooks
from okrgate.rulebooks.models import Process

log = structlog.get_logger()

MOST_BYTES = 7 * 1024 * 1024
MOST_AT_ONCE = 500
MOST_SHOWN = 500
_LISTED = 30
_CLAIM = timedelta(seconds=60)
_PER_STEP_SECONDS = 2.0
_ALIKE = 0.5


@dataclass(frozen=True)
class Prepared:
    """A file as its mapping page shows it."""

    file: ImportFile
    table: Table
    rulebook: Rulebook
    offers: Sequence[Offer]
    choices: Mapping[str, Any]
    earlier: str


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


def processes() -> list[tuple[str, str]]:
    """Return (key, title) of the processes that projects may come into."""
    keys = {row.id: row.key for row in db.session().execute(select(Process.id, Process.key))}
    return [
        (keys[version.process_id], rulebooks.rulebook(version.id).title)
        for version in rulebooks.binding()
    ]


def prepare(file_id: int, *, process: str = "") -> Prepared:
    """Return a file with what may be chosen for it: as chosen before, as for a list like it, or as guessed."""
    file = get(file_id)
    table = read(file.content, Kind(**file.kind))
    wanted = process or file.choices.get("process", "")
    rulebook = _rulebook(wanted)
    known = offers(rulebook)
    if file.choices.get("columns") and len(file.choices["columns"]) == len(table.header):
        return Prepared(file, table, rulebook, known, file.choices, "")
    alike = _alike(table.header)
    choices = _proposed(file, table, rulebook, known, alike)
    return Prepared(file, table, rulebook, known, choices, alike.name if alike else "")


def _rulebook(process: str) -> Rulebook:
    found = [rulebooks.rulebook(version.id) for version in rulebooks.binding()]
    if not found:
        raise Conflict("No process binds projects yet. Publish rules first.")
    return next((one for one in found if one.id == process), found[0])


def _alike(header: Sequence[str]) -> ImportMap | None:
    maps = list(db.session().scalars(select(ImportMap).order_by(ImportMap.at.desc()).limit(50)))
    exact = [one for one in maps if likeness(header, one.header) >= _ALIKE]
    same_shape = [one for one in maps if len(one.header) == len(header)]
    return max(exact, key=lambda one: likeness(header, one.header), default=None) or next(
        iter(same_shape), None
    )


def _proposed(
    file: ImportFile,
    table: Table,
    rulebook: Rulebook,
    known: Sequence[Offer],
    alike: ImportMap | None,
) -> dict[str, Any]:
    earlier = dict(alike.choices) if alike and alike.choices.get("process") == rulebook.id else {}
    columns = guess(
        table.header,
        known,
        {"header": alike.header, "columns": earlier["columns"]} if alike and earlier else {},
    )
    kinds = {offer.target: offer.kind for offer in known}
    cells = [
        row[place]
        for place, target in enumerate(columns)
        if kinds.get(target) == "date"
        for row in table.rows[:200]
        if place < len(row)
    ]
    way = [
        rulebook.initial.id,
        *(one.target for one in rulebook.forward_path(rulebook.initial.id)),
    ]
    proposed = {
        "name": file.name.rpartition(".")[0][:60] or file.name[:60],
        "process": rulebook.id,
        "dates": date_spelling(cells),
        "factor": "1",
        "decimal": ".",
        "empty": [],
        "fixed": [],
        **{f"stage_{name}": way[0] for name in ("none", "future", "running", "past")},
    } | earlier
    proposed["columns"] = columns
    for name in ("stage_start", "stage_end"):
        proposed[name] = _moved(alike, table.header, str(earlier.get(name, "")), columns, earlier)
    return proposed


def _moved(
    alike: ImportMap | None,
    header: Sequence[str],
    place: str,
    columns: Sequence[str],
    earlier: Mapping[str, Any],
) -> str:
    """Return where the column that decided about the stage stands now."""
    if alike is None or not place.isdecimal() or int(place) > len(alike.header):
        return ""
    name = alike.header[int(place) - 1]
    if name in header:
        return str(list(header).index(name) + 1)
    target = list(earlier.get("columns", ()))[int(place) - 1]
    if target and target in columns:
        return str(columns.index(target) + 1)
    return place if len(alike.header) == len(header) else ""


def choose_kind(file_id: int, kind: Kind, *, by: int) -> None:
    """Read the file another way. Raises Invalid when it cannot be read so."""
    file = get(file_id)
    try:
        table = read(file.content, kind)
    except Unreadable as problem:
        raise Invalid(str(problem)) from problem
    with transaction():
        _open(file)
        file.kind = {"encoding": kind.encoding, "delimiter": kind.delimiter, "sheet": kind.sheet}
        file.total, file.state, file.choices = len(table.rows), "mapping", {}
        audit.record("import.read_anew", by=by, target=f"import:{file.id}")


def ask_check(file_id: int, choices: Mapping[str, Any], *, by: int) -> None:
    """Have every row tried; nothing is written but what was found. Raises Invalid with all that is missing."""
    file = get(file_id)
    table = read(file.content, Kind(**file.kind))
    problems = problems_of(choices, table.header)
    if problems:
        raise Invalid(problems[0], {str(number): one for number, one in enumerate(problems)})
    known = offers(_rulebook(str(choices.get("process", ""))))
    try:
        Import(table, to_map(choices, known), by=by, reason="")
    except (BadMap, Unreadable) as problem:
        raise Invalid(str(problem)) from problem
    with transaction():
        _open(file)
        file.choices = dict(choices)
        _reset(file, "check", len(table.rows))
        _remember(table.header, choices, by)


def ask_adopt(file_id: int, *, reason: str, all_or_nothing: bool, by: int) -> None:
    """Have the rows taken over. Raises Invalid without a reason, Conflict when they were not tried before."""
    check_reason(reason)
    file = get(file_id)
    with transaction():
        db.session().refresh(file, with_for_update=True)
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


def cancel(file_id: int, *, by: int) -> None:
    """Stop a run. What came in stays."""
    with transaction():
        file = get(file_id)
        db.session().refresh(file, with_for_update=True)
        if file.state in {"asked", "running"}:
            file.state, file.problem = "stopped", "Stopped by hand. What came in before stays."
            file.finished_at = clock.now()
            audit.record("import.stopped", by=by, target=f"import:{file.id}")


def _open(file: ImportFile) -> None:
    db.session().refresh(file, with_for_update=True)
    if file.state in {"asked", "running"} or (file.state == "done" and file.task == "adopt"):
        raise Conflict(
            "This file is being taken over, or was. Bring it again to read it another way."
        )


def _reset(file: ImportFile, task: str, total: int) -> None:
    file.task, file.state, file.total = task, "asked", total
    file.done = file.adopted = file.known = file.refused_rows = 0
    file.refused, file.problem, file.finished_at, file.claimed_until = [], "", None, None


def _remember(header: Sequence[str], choices: Mapping[str, Any], by: int) -> None:
    name = str(choices["name"])[:60]
    kept = db.session().scalar(select(ImportMap).where(ImportMap.name == name))
    if kept is None:
        kept = ImportMap(name=name)
        db.session().add(kept)
    kept.header, kept.choices, kept.by_id, kept.at = list(header), dict(choices), by, clock.now()


def work() -> None:
    """Do whatever was asked, file by file. For the worker."""
    while (file_id := _claim()) is not None:
        _run(file_id)


def advance(file_id: int) -> None:
    """Do a little of what was asked, so that a small file is done at once. The worker does the rest."""
    if _take(file_id):
        _run(file_id, seconds=_PER_STEP_SECONDS)


def _claim() -> int | None:
    now = clock.now()
    waiting = select(ImportFile.id).where(
        or_(
            ImportFile.state == "asked",
            (ImportFile.state == "running") & (ImportFile.claimed_until < now),
        )
    )
    found = db.session().scalar(waiting.order_by(ImportFile.id).limit(1))
    db.session().rollback()
    return found if found is not None and _take(found) else None


def _take(file_id: int) -> bool:
    """Make a run ours for a while; nobody else goes on with it meanwhile."""
    now = clock.now()
    with transaction() as session:
        taken = session.execute(
            update(ImportFile)
            .where(
                ImportFile.id == file_id,
                or_(
                    ImportFile.state == "asked",
                    (ImportFile.state == "running") & (ImportFile.claimed_until < now),
                ),
            )
            .values(state="running", claimed_until=now + _CLAIM)
            .returning(ImportFile.id)
        )
        return taken.first() is not None


def _run(file_id: int, seconds: float | None = None) -> None:
    file = get(file_id)
    try:
        table = read(file.content, Kind(**file.kind))
        known = offers(_rulebook(str(file.choices.get("process", ""))))
        bound = Import(table, to_map(file.choices, known), by=file.by_id, reason=file.reason)
        _rows(file, bound, seconds)
    except (BadMap, Unreadable, Invalid) as problem:
        _stop(file, str(problem))
    except Exception as problem:  # taken up again it would fail again, for ever
        log.error("import stopped", file=file_id, exc_info=problem)
        _stop(file, "An error stopped it; the log names it. What came in before stays.")


def _stop(file: ImportFile, problem: str) -> None:
    db.session().rollback()
    with transaction():
        file.state, file.problem, file.finished_at = "stopped", problem, clock.now()


def _rows(file: ImportFile, bound: Import, seconds: float | None) -> None:
    whole = file.task == "adopt" and file.all_or_nothing
    ends = monotonic() + seconds if seconds and not whole else None
    with transaction() if whole else nullcontext():
        while file.done < len(bound.table.rows):
            report = Report()
            stop = min(file.done + 20, len(bound.table.rows))
            for place in range(file.done, stop):
                (bound.take if file.task == "adopt" else bound.check)(place, report)
            if whole and report.refused:
                first = report.refused[0]
                raise Invalid(f"Nothing came in: row {first.line}: {first.sentence}")
            if not _note(file, report, stop):
                return
            if ends is not None and monotonic() > ends and file.done < file.total:
                _let_go(file)
                return
        _finish(file, bound)


def _note(file: ImportFile, report: Report, done: int) -> bool:
    """Keep how far the run is; False when somebody stopped it."""
    with transaction() as session:
        session.refresh(file, attribute_names=["state"])
        if file.state != "running":
            return False
        file.done = done
        file.adopted += len(report.adopted)
        file.known += len(report.known)
        file.refused_rows += report.refused_rows
        rows = [[one.line, one.column, one.sentence] for one in report.refused]
        file.refused = [*file.refused, *rows][:MOST_SHOWN]
        file.claimed_until = clock.now() + _CLAIM
    return True


def _let_go(file: ImportFile) -> None:
    with transaction() as session:
        session.refresh(file, attribute_names=["state"], with_for_update=True)
        if file.state == "running":
            file.state, file.claimed_until = "asked", None


def _finish(file: ImportFile, bound: Import) -> None:
    with transaction():
        file.state = "done" if file.task == "adopt" else "checked"
        file.finished_at, file.claimed_until = clock.now(), None
        if file.task == "adopt":
            bound.record(file.adopted, file.known, file.refused_rows)


def column_names(file: ImportFile) -> dict[str, str]:
    """Return what a refusal's column is called in the file: a place's header, or the field that would not take it."""
    table = read(file.content, Kind(**file.kind))
    known = {
        offer.target: offer for offer in offers(_rulebook(str(file.choices.get("process", ""))))
    }
    names = {str(place): name for place, name in enumerate(table.header, start=1)}
    columns = list(file.choices.get("columns", ()))
    for target, offer in known.items():
        where = columns.index(target) if target in columns else None
        named = (
            f"{table.header[where]} → " if where is not None and where < len(table.header) else ""
        )
        names[target] = f"{named}{offer.label}"
    return names
