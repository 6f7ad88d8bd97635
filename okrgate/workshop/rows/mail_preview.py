"""What the mail about a move of a draft would say, of a project that is made up."""

from collections.abc import Mapping
from typing import Any

from okrgate.events import ProjectMoved, Recipient
from okrgate.notifications import messages
from okrgate.workshop.rows.process_rows import Process, kind_of, text, words


def preview(process: Process, name: str, *, reader: messages.Reader) -> tuple[str, str]:
    """Return (subject, text) of the mail about a move, as it would go to this reader."""
    move: Mapping[str, Any] = process.named("move")[name]
    sources = words(move.get("from"))
    event = ProjectMoved(
        recipients=(Recipient(reader.person_id, "this is only a preview"),),
        by="Somebody",
        path="/projects",
        project_id=0,
        reference="OKR-000",
        title="An example",
        kind=kind_of(move),
        transition=process.label("move", name),
        source=process.label("stage", sources[0]) if sources else "nowhere",
        target=process.target(move),
        note=text(move.get("mail")),
    )
    mail = messages.compose(event, reader, message_id="<preview@localhost>")
    body = mail.get_body(("plain",))
    return str(mail["Subject"]), body.get_content() if body is not None else ""
