"""Projects that share words with a title, and what was learned there: so that nobody begins at nothing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, exists, or_, select

from okrgate.database import db
from okrgate.projects import permissions
from okrgate.projects.models import Project
from okrgate.rulebooks import service as rulebooks
from okrgate.stages.reading import Reader
from okrgate.summaries.models import ClosingSummary, Lesson, Retrospective
from okrgate.summaries.wording import JUDGEMENTS, REPEATS

_MOST = 5
_WORDS = 6
_LESSONS = 2
_WORD = re.compile(r"[^\W_]{4,}")
# Words that begin half of all titles; those of three letters are left out anyway.
_COMMON = """
about after again also another because been before being better both could does each every fewer from have into just
less like make many more most much must need needs only other over project same should some such than that their them
then there these they this those through under until very want were what when where which while will with without work
would your
"""
_JUDGED, _AGAIN = dict(JUDGEMENTS), dict(REPEATS)


@dataclass(frozen=True)
class Similar:
    """A project like the one that is being written down."""

    reference: str
    title: str
    stage: str
    judgement: str
    again: str
    lessons: Sequence[str]


def to(title: str, reader: Reader, *, but: str = "") -> list[Similar]:
    """Return up to five projects that share words with a title in title, lessons or summary, the closest first.

    Only what the reader may read; never the project `but`. Two or three queries.
    """
    words = _words(title)
    if not words:
        return []
    score: ColumnElement[int] = sum(
        (case((_in_title(one), 3), (_in_lessons(one), 1), else_=0) for one in words[1:]),
        start=case((_in_title(words[0]), 3), (_in_lessons(words[0]), 1), else_=0),
    )
    matches = or_(*(_in_title(one) for one in words), *(_in_lessons(one) for one in words))
    rows = list(
        db.session().execute(
            select(Project, Retrospective.judgement, Retrospective.repeat, Retrospective.learned)
            .outerjoin(Retrospective, Retrospective.project_id == Project.id)
            .where(
                permissions.visible_clause(reader.id, is_auditor=reader.is_auditor),
                Project.reference != but,
                matches,
            )
            .order_by(score.desc(), Project.closed_at.is_(None), Project.id.desc())
            .limit(_MOST)
        )
    )
    lessons = _lessons([project.id for project, *_ in rows])
    return [
        Similar(
            reference=project.reference,
            title=project.title,
            stage=_stage(project),
            judgement=_JUDGED.get(judgement or "", ""),
            again=_AGAIN.get(repeat or "", ""),
            lessons=lessons.get(project.id) or ([_short(learned)] if learned else []),
        )
        for project, judgement, repeat, learned in rows
    ]


def _words(title: str) -> list[str]:
    """Return the beginnings of the words that say something: endings differ, stems do not."""
    found = dict.fromkeys(
        word[: max(4, len(word) - 2)]
        for word in _WORD.findall(title.lower())
        if word not in _COMMON.split()
    )
    return sorted(found, key=len, reverse=True)[:_WORDS]


def _in_title(word: str) -> ColumnElement[bool]:
    return Project.title.icontains(word, autoescape=True)


def _in_lessons(word: str) -> ColumnElement[bool]:
    return or_(
        exists().where(
            Lesson.project_id == Project.id, Lesson.lesson.icontains(word, autoescape=True)
        ),
        exists().where(
            ClosingSummary.project_id == Project.id,
            ClosingSummary.text.icontains(word, autoescape=True),
        ),
    )


def _lessons(projects: Sequence[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    if not projects:
        return found
    rows = db.session().execute(
        select(Lesson.project_id, Lesson.lesson)
        .where(Lesson.project_id.in_(projects), Lesson.lesson != "")
        .order_by(Lesson.project_id, Lesson.position)
    )
    for project, lesson in rows:
        listed = found.setdefault(project, [])
        if len(listed) < _LESSONS:
            listed.append(_short(lesson))
    return found


def _stage(project: Project) -> str:
    stage = rulebooks.rulebook(project.rulebook_version_id).stages.get(project.stage)
    return stage.label if stage else ""


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 200 else f"{line[:200]}…"
