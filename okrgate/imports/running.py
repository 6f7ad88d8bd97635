"""Does what was asked with a file: every row is tried or taken over, in steps, with the progress kept.

A run may be ended by a crash at any row: whoever looks next goes on where it stopped, for a row that came in is known
by its key. Only "all or nothing" is one change; it is therefore kept to small files.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

import structlog
from sqlalchemy import or_, select, update

from okrgate import clock
from okrgate.database import db, transaction
from okrgate.errors import Invalid
from okrgate.imports.detecting import Kind, read
from okrgate.imports.mapping import BadMap
from okrgate.imports.models import ImportFile
from okrgate.imports.offered import offers, to_map
from okrgate.imports.proposing import rulebook_of
from okrgate.imports.reading import Unreadable
from okrgate.imports.service import Import, Report

log = structlog.get_logger()

MOST_SHOWN = 500
_CLAIM = timedelta(seconds=60)
_PER_STEP_SECONDS = 2.0
_ROWS_A_STEP = 20


class _TakenAway(Exception):
    """Somebody stopped the run, or goes on with it: nothing more of ours may be kept."""


@dataclass
class _Run:
    """A file that is ours until `claim`. Whoever stops it or begins anew leaves another claim or none.

    What is to be done stays as it was when we took it, whatever others ask for meanwhile.
    """

    file: ImportFile
    claim: datetime
    is_adopting: bool
    is_whole: bool

    @contextmanager
    def kept(self) -> Iterator[ImportFile]:
        """Change the file. Raises _TakenAway when it is no longer ours."""
        with transaction() as session:
            session.refresh(
                self.file, attribute_names=["state", "claimed_until"], with_for_update=True
            )
            if self.file.state != "running" or self.file.claimed_until != self.claim:
                raise _TakenAway
            yield self.file


def work() -> None:
    """Do whatever was asked, file by file. For the worker."""
    while (file_id := _next()) is not None:
        advance(file_id, seconds=None)


def advance(file_id: int, *, seconds: float | None = _PER_STEP_SECONDS) -> None:
    """Do what was asked, for so long, if nobody is at it: a small file is done at once, the worker does the rest."""
    run = _take(file_id)
    if run is not None:
        _do(run, seconds)


def _next() -> int | None:
    now = clock.now()
    waiting = select(ImportFile.id).where(
        or_(
            ImportFile.state == "asked",
            (ImportFile.state == "running") & (ImportFile.claimed_until < now),
        )
    )
    found = db.session().scalar(waiting.order_by(ImportFile.id).limit(1))
    db.session().rollback()
    return found


def _take(file_id: int) -> _Run | None:
    """Make a run ours for a while; nobody else goes on with it meanwhile."""
    now = clock.now()
    claim = now + _CLAIM
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
            .values(state="running", claimed_until=claim)
            .returning(ImportFile.id)
        )
        if taken.first() is None:
            return None
        file = session.get_one(ImportFile, file_id)
        session.refresh(file)
        is_adopting = file.task == "adopt"
        return _Run(file, claim, is_adopting, is_whole=is_adopting and file.all_or_nothing)


def _do(run: _Run, seconds: float | None) -> None:
    file = run.file
    try:
        table = read(file.content, Kind(**file.kind))
        known = offers(rulebook_of(str(file.choices.get("process", ""))))
        bound = Import(table, to_map(file.choices, known), by=file.by_id, reason=file.reason)
        _rows(run, bound, seconds)
    except _TakenAway:
        db.session().rollback()
    except (BadMap, Unreadable, Invalid) as problem:
        _stop(run, str(problem))
    except Exception as problem:  # taken up again it would fail again, for ever
        log.error("import stopped", file=file.id, exc_info=problem)
        _stop(run, "An error stopped it; the log names it. What came in before stays.")


def _stop(run: _Run, problem: str) -> None:
    db.session().rollback()
    try:
        with run.kept() as file:
            file.state, file.problem, file.finished_at = "stopped", problem, clock.now()
    except _TakenAway:
        db.session().rollback()


def _rows(run: _Run, bound: Import, seconds: float | None) -> None:
    done, count = run.file.done, len(bound.table.rows)
    ends = monotonic() + seconds if seconds and not run.is_whole else None
    act = bound.take if run.is_adopting else bound.check
    with transaction() if run.is_whole else nullcontext():
        while done < count:
            report = Report()
            stop = min(done + _ROWS_A_STEP, count)
            for place in range(done, stop):
                act(place, report)
            if run.is_whole and report.refused:
                first = report.refused[0]
                where = f" in “{bound.column_name(first)}”" if first.column else ""
                raise Invalid(f"Nothing came in: row {first.line}{where}: {first.sentence}")
            done = stop
            _note(run, report, done)
            if ends is not None and monotonic() > ends and done < count:
                _let_go(run)
                return
        _finish(run, bound)


def _note(run: _Run, report: Report, done: int) -> None:
    """Keep how far the run is."""
    # What is one change shows nobody a later claim before its end; undone, it must be known by its first one.
    claim = run.claim if run.is_whole else clock.now() + _CLAIM
    with run.kept() as file:
        file.done = done
        file.adopted += len(report.adopted)
        file.known += len(report.known)
        file.refused_rows += report.refused_rows
        rows = [[one.line, one.column, one.sentence] for one in report.refused]
        file.refused = [*file.refused, *rows][:MOST_SHOWN]
        file.claimed_until = claim
    run.claim = claim


def _let_go(run: _Run) -> None:
    with run.kept() as file:
        file.state, file.claimed_until = "asked", None


def _finish(run: _Run, bound: Import) -> None:
    with run.kept() as file:
        file.state = "done" if run.is_adopting else "checked"
        file.finished_at, file.claimed_until = clock.now(), None
        if run.is_adopting:
            bound.record(file.adopted, file.known, file.refused_rows)
