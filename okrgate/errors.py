"""What a service may refuse with. `web/errors.py` turns each into a page; nothing else does."""

from collections.abc import Mapping


class Refused(Exception):
    """A request that okrgate will not carry out; the sentence is for the person who asked."""

    def __init__(self, sentence: str) -> None:
        """Keep the sentence that the page will show."""
        super().__init__(sentence)
        self.sentence = sentence


class Forbidden(Refused):
    """They may see it, but not do this."""


class NotFound(Refused):
    """It does not exist, or they may not know that it does."""

    def __init__(self, sentence: str = "There is nothing here, or it is not yours to see.") -> None:
        """Say the same for what is missing and what is hidden."""
        super().__init__(sentence)


class Conflict(Refused):
    """Somebody or something was faster: the state is no longer what the person saw."""


class Invalid(Refused):
    """What was typed cannot be taken; `fields` says why, field by field."""

    def __init__(self, sentence: str, fields: Mapping[str, str] | None = None) -> None:
        """Keep a sentence for each field at fault."""
        super().__init__(sentence)
        self.fields = dict(fields or {})


class Unavailable(Refused):
    """Try again in a moment: the database or the disk cannot take it now."""
