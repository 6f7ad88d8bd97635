"""A form that is sent twice is one act, also when the second is under way while the first is stored."""

import pytest
from flask import Flask

from okrgate.database import transaction
from okrgate.errors import Conflict, Refused
from okrgate.once import once


def refuse() -> int:
    """Refuse, as a service does that finds the act done already."""
    raise Conflict("You have already decided in this round.")


def test_a_refusal_is_not_believed_when_the_same_form_was_stored_meanwhile(app: Flask) -> None:
    answers = iter([None, 7])
    assert once(lambda: next(answers), refuse) == 7


def test_a_refusal_of_a_form_that_nobody_stored_stands(app: Flask) -> None:
    with pytest.raises(Refused, match="already decided"):
        once(lambda: None, refuse)


def test_what_is_known_is_not_done_again(app: Flask) -> None:
    assert once(lambda: 7, refuse) == 7


def test_an_open_transaction_is_not_ended_by_looking_again(app: Flask) -> None:
    with pytest.raises(Conflict), transaction():
        once(iter([None, 7]).__next__, refuse)
