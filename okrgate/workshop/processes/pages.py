"""What pages about any process have in common."""

from flask import url_for

from okrgate.rulebooks.service import Listed


def about(base: Listed) -> str:
    """Return the page to read what a draft stands beside: a version, or the rows of a process that has none yet."""
    if base.id:
        return url_for("rulebooks.show_version", version_id=base.id)
    return url_for("workshop.show_gates", key=base.process)
