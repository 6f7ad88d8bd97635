"""What a stage may do of its own when a project enters it: send the summary to leadership."""

from collections.abc import Sequence

from okrgate import clock
from okrgate.database import check_writing, db
from okrgate.delivery.people import about
from okrgate.events import Event, Recipient, SummarySent
from okrgate.projects.models import Project
from okrgate.summaries import looking_back, wording
from okrgate.summaries.models import SentSummary
from okrgate.summaries.sections import retrospective_of, summary_of


def send_summary(project: Project, by: int | None, audience: Sequence[int]) -> Sequence[Event]:
    """Keep the summary as it is now, for good, and tell these people.

    Without a text of somebody's own the proposal built from the data is sent.
    """
    check_writing()
    looked = looking_back.look_back(project)
    written = summary_of(project.id)
    text = written.text if written and written.text else _proposal(project, looked)
    word = wording.effect(looked.promises)
    results = [wording.result_line(one) for one in looked.promises]
    key_results = [wording.key_result_line(one, word) for one in looked.key_results]
    people = sorted(set(audience))
    db.session().add(
        SentSummary(
            project_id=project.id,
            at=clock.now(),
            by_id=by,
            text=text,
            results=results,
            key_results=key_results,
            audience=people,
        )
    )
    return (
        SummarySent(
            **about(project, by, f"/projects/{project.reference}/summary"),
            recipients=tuple(Recipient(one, "you get the results of projects") for one in people),
            summary=text,
            results=tuple(results),
            key_results=tuple(key_results),
        ),
    )


def _proposal(project: Project, looked: wording.LookBack) -> str:
    found = retrospective_of(project.id)
    return wording.proposal(project.title, looked, found.judgement if found else None)
