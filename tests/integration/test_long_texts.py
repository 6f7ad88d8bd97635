"""No text makes a field think long: 100,000 letters that wear out patterns, into every field, are answered soon."""

import time

import pytest

from okrgate.database import db
from tests.conftest import DATABASES
from tests.faults.fuzzing import errors_logged
from tests.faults.ground import ground
from tests.faults.profile import LONG
from tests.integration.journey.stops import WAY, Stops
from tests.integration.test_extra_fields import forms

# Seconds of this process: ten times what any of these may take. A pattern that backtracks would need hours.
PATIENCE = 10.0
_MOST_FIELDS = 12
_SIZE = 100_000
WEARING = (
    "a" * _SIZE + "!",
    " " * _SIZE + "x",
    "1" * _SIZE + ",",
    "1," * (_SIZE // 2) + "x",
    "@a " * (_SIZE // 3),
    "a@" * (_SIZE // 2),
    "https://" + "a." * (_SIZE // 2) + "\t",
    "\n \n" * (_SIZE // 3) + "x",
    "(" * _SIZE,
    "<" * _SIZE,
    "{{" * (_SIZE // 2),
    "-1" * (_SIZE // 2),
    "2026-" * (_SIZE // 5),
    "=" * _SIZE,
    "e" + "\u0301\u0323" * (_SIZE // 2),
)


@pytest.mark.parametrize("stops", DATABASES if LONG else DATABASES[:1], indirect=True)
@pytest.mark.parametrize("stop", [*WAY][1:] if LONG else ["planned", "in approval"])
def test_no_text_wears_a_field_out(stops: Stops, stop: str) -> None:
    problems, tried = [], 0
    with ground(stops, stop) as (kept, words), errors_logged() as errors:
        for name, reader, path, pairs in forms(kept, stop, words):
            names = sorted({name for name, _ in pairs})
            for first in range(0, len(names), _MOST_FIELDS):
                some = names[first : first + _MOST_FIELDS]
                long = {one: WEARING[(tried + at) % len(WEARING)] for at, one in enumerate(some)}
                tried += 1
                began = time.process_time()
                answer = kept.browsers[reader].post(path, data={**dict(pairs), **long})
                answer.get_data()
                took = time.process_time() - began
                db.session.rollback()
                if took > PATIENCE or answer.status_code not in {200, 303, 403, 404, 409, 422}:
                    problems.append(f"{name}: {answer.status_code} after {took:.1f} s")
    assert not problems, "\n".join(problems)
    assert not errors
    assert tried > 12


@pytest.mark.parametrize("stops", DATABASES[:1], indirect=True)
def test_no_search_is_worn_out(stops: Stops) -> None:
    with ground(stops, "in approval") as (kept, _words):
        for path in ("/projects", "/admin/people", "/metrics", "/audit", "/projects/similar"):
            for text in WEARING:
                asked = dict.fromkeys(("q", "title", "project", "after", "before"), text[:20_000])
                began = time.process_time()
                answer = kept.browsers["Ada"].get(path, query_string=asked)
                answer.get_data()
                assert answer.status_code in {200, 422}, path
                assert time.process_time() - began < PATIENCE, (path, text[:20])
