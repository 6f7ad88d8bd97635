"""Find projects by the words of their reference, title and problem: whole words or how they begin.

The words are kept in a table of our own, the same on both databases (docs/decisions/0005-search.md). Settling
writes them with everything else that follows from a change; `catch_up` mends what was stored without it.
"""

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, delete, insert, select
from sqlalchemy.orm import aliased

from okrgate.database import check_writing, db, transaction
from okrgate.projects import together
from okrgate.projects.models import Project
from okrgate.projects.search_models import WORD, SearchEntry, SearchWord
from okrgate.projects.ticket_models import Problem

MOST_ASKED = 8
_MOST_KEPT = 600
# Made once: to make an alias takes longer than to ask for a rare word.
_OTHER = aliased(SearchWord)
_LAST = "\U0010ffff"
# A script without spaces is searched sign by sign.
_SIGNS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_WORDS = re.compile(rf"[{_SIGNS}]|[^\W_{_SIGNS}]+")


def words_of(text: str) -> list[str]:
    """Return the different words of a text, folded, in their order."""
    parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    bare = "".join(sign for sign in parts if not unicodedata.combining(sign))
    return list(dict.fromkeys(word[:WORD] for word in _WORDS.findall(bare)))


def asked_words(text: str) -> list[str]:
    """Return the words to look for; one that another begins with is left out."""
    words = words_of(text)[:MOST_ASKED]
    return [
        word
        for word in words
        if not any(other != word and other.startswith(word) for other in words)
    ]


def with_word(word: str) -> Select[int]:
    """Return a query for the ids of projects with a word that begins so. An id may come twice."""
    return select(SearchWord.project_id).where(*_begins(SearchWord, word))


def has_word(word: str) -> ColumnElement[bool]:
    """Return what a query of projects demands to keep those with a word that begins so, asked project by project."""
    return _has(Project, Project.id, word)


def also(word: str) -> ColumnElement[bool]:
    """Return what a query of `with_word` demands to keep those that have another word too, asked one by one."""
    return _has(SearchWord, SearchWord.project_id, word)


def _has(outer: Any, project_id: Any, word: str) -> ColumnElement[bool]:
    """Written as a value rather than EXISTS, which PostgreSQL would turn into a join of everything with the word."""
    one = select(_OTHER.project_id).where(_OTHER.project_id == project_id, *_begins(_OTHER, word))
    return one.correlate(outer).limit(1).scalar_subquery().is_not(None)


def is_current(project: Project) -> bool:
    """Tell whether a project's words are kept as its texts are now; asks only for what was not read together."""
    problem = together.one(Problem, project.id, lambda: db.session().get(Problem, project.id))
    entry = together.one(SearchEntry, project.id, lambda: db.session().get(SearchEntry, project.id))
    text = problem.problem if problem is not None else ""
    return entry is not None and entry.digest == _digest_of(project.reference, project.title, text)


def keep(project_id: int) -> None:
    """Keep a project's words as its texts are now. Only inside a transaction(); no change, no write."""
    check_writing()
    for row in db.session().execute(_texts().where(Project.id == project_id)):
        _keep(row)


def catch_up(limit: int = 500) -> int:
    """Keep the words of projects that have none yet: stored before there was a search, or in bulk."""
    ids = list(
        db.session().scalars(
            _texts().with_only_columns(Project.id).where(SearchEntry.digest.is_(None)).limit(limit)
        )
    )
    if ids:
        _rebuild(ids)
    return len(ids)


def rebuild(step: int = 500) -> int:
    """Compare every project's words with its texts and mend what differs; return how many projects were looked at."""
    seen, last = 0, 0
    while True:
        after = select(Project.id).where(Project.id > last).order_by(Project.id).limit(step)
        ids = list(db.session().scalars(after))
        if not ids:
            return seen
        _rebuild(ids)
        seen, last = seen + len(ids), ids[-1]


def entry_of(reference: str, title: str, problem: str) -> tuple[str, list[str]]:
    """Return the digest and the words that are kept for a project with these texts."""
    number = reference.rpartition("-")[2].lstrip("0")
    words = words_of(f"{reference} {number} {title} {problem}")[:_MOST_KEPT]
    return hashlib.sha256("\n".join(words).encode()).hexdigest(), words


def _digest_of(reference: str, title: str, problem: str | None) -> str:
    return entry_of(reference, title, problem or "")[0]


def _begins(words: Any, word: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return words.word >= word, words.word < word + _LAST


def _texts() -> Select[int, str, str, str | None, str | None]:
    return (
        select(Project.id, Project.reference, Project.title, Problem.problem, SearchEntry.digest)
        .outerjoin(Problem, Problem.project_id == Project.id)
        .outerjoin(SearchEntry, SearchEntry.project_id == Project.id)
    )


def _rebuild(ids: Sequence[int]) -> None:
    with transaction() as session:
        wanted = _texts().where(Project.id.in_(ids)).with_for_update(of=Project)
        for row in session.execute(wanted).all():
            _keep(row)


def _keep(row: Row[int, str, str, str | None, str | None]) -> None:
    project_id, reference, title, problem, known = row
    digest, words = entry_of(reference, title, problem or "")
    if digest == known:
        return
    session = db.session()
    session.execute(delete(SearchWord).where(SearchWord.project_id == project_id))
    if words:
        rows = [{"word": word, "project_id": project_id} for word in words]
        session.execute(insert(SearchWord), rows)
    entry = session.get(SearchEntry, project_id)
    if entry is None:
        session.add(SearchEntry(project_id=project_id, digest=digest))
    else:
        entry.digest = digest
