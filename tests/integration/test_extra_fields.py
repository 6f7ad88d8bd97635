"""Fields that a form never asked for change nothing: what is stored is the same with them and without, to the byte."""

import re
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from okrgate.database import Model, db
from tests.browsing import Form, read
from tests.conftest import DATABASES
from tests.dumps import Dump, dump
from tests.faults.fuzzing import noting
from tests.faults.ground import READERS, Ground, ground
from tests.faults.hostile import Pairs
from tests.faults.profile import LONG
from tests.integration.journey.stops import WAY, Stops
from tests.integration.test_route_matrix import TABLE

# Whatever a form asks for besides, these are never taken from it, unless the page itself shows such a field.
PROTECTED = {
    "admin": "1",
    "approver_id": "9",
    "creation_key": "mine",
    "entered_at": "2020-01-01",
    "priority_score": "100",
    "score": "100",
    "signed_at": "2020-01-01",
    "signer_id": "9",
    "stage_id": "closed",
    "state": "closed",
    "lead": "9",
    "submitter": "9",
    "approved": "1",
}
# What no two runs have in common: tokens, and what is made of them.
_CHANCE = {"dedupe_key", "hash", "message_id", "prev_hash", "request_id", "snapshot", "token_hash"}
_TRUE = re.compile(r"^(is_|has_)|^(active|adopted|confidential|confirmed|shared|start)$")
# These ask nothing more, or stop what is under way; or their answer is a file; or they note how long they took.
_WITHOUT = {
    "stages.keep_draft",
    "workshop.work_out_impact",
    "workshop.work_out_proposal_impact",
}
# Valid forms for routes that the table only asks in vain.
VALID: dict[str, tuple[str, dict[str, str]]] = {
    "accounts.create_unit": ("Ada", {"name": "Fees", "kind": "team", "parent_id": "{unit}"}),
    "accounts.grant_role": (
        "Ada",
        {"grant-role": "vice_president", "grant-unit_id": "{unit}"},
    ),
    "okrs.new_period": (
        "Ada",
        {"label": "H2", "kind": "half", "starts_on": "2027-07-01", "ends_on": "2027-12-31"},
    ),
    "okrs.new_objective": (
        "Ada",
        {
            "title": "Grow",
            "unit": "{unit}",
            "period": "1",
            "key_result": "More",
            "baseline": "1",
            "target": "2",
        },
    ),
    "okrs.new_key_result": (
        "Ada",
        {"key_result": "More", "baseline": "1", "target": "2", "weight": "5"},
    ),
    "okrs.edit_objective": (
        "Lea",
        {"title": "Customers remain", "unit": "{unit}", "period": "1", "owner": "{steward}"},
    ),
    "okrs.edit_key_result": (
        "Lea",
        {"key_result": "Churn to 3", "measure": "%", "baseline": "5", "target": "3", "weight": "5"},
    ),
    "metrics.new_metric": (
        "Ada",
        {"name": "Calls", "cadence": "monthly", "direction": "down", "steward": "{steward}"},
    ),
}


# Both databases are asked in the same way; the short run asks one.
@pytest.mark.parametrize("stops", DATABASES if LONG else DATABASES[:1], indirect=True)
@pytest.mark.parametrize("stop", [*WAY][1:] if LONG else ["planned", "in approval"])
def test_fields_that_were_not_asked_change_nothing(stops: Stops, stop: str) -> None:
    problems, tried = [], 0
    with ground(stops, stop) as (kept, words):
        for name, reader, path, pairs in forms(kept, stop, words):
            plain, asked = store(kept, reader, path, [*pairs, ("unknown", "1")])
            if not plain:
                continue
            tried += 1
            more = [*pairs, *extra({key for key, _ in pairs}, asked)]
            changed = tables(plain, store(kept, reader, path, more)[0])
            if changed:
                problems.append(f"{name} by {reader} changed {changed[:5]}")
    assert not problems, "\n".join(problems)
    assert tried >= {"planned": 12, "in approval": 40}.get(stop, 3)


def forms(
    kept: Ground, stop: str, words: dict[str, object]
) -> Iterator[tuple[str, str, str, Pairs]]:
    """Yield valid forms: (name, who sends it, where to, fields)."""
    for reader in ("Sue", "Lea", "Rex"):
        home = f"/projects/{kept.company.reference}"
        for path in edit_pages(kept.browsers[reader], home):
            form = edit_form(kept.browsers[reader], path)
            if form is not None:
                pairs = [one for one in form.values.items(multi=True) if one[0] != "csrf_token"]
                yield path, reader, path, pairs
    for name, row in TABLE.items() if "version" in words else ():
        method, _, endpoint = name.partition(" ")
        if method == "GET" or endpoint in _WITHOUT or row.stop != stop:
            continue
        who, data = VALID.get(endpoint, ("", row.data))
        may = [who] if who else [one for one in READERS if row.expected("POST", one) in {200, 303}]
        if may:
            pairs = [(key, text.format(**words, day=12)) for key, text in data.items()]
            yield endpoint, may[0], row.path.format(**words), pairs


def edit_pages(browser: FlaskClient, home: str) -> list[str]:
    """Return the pages of a project that somebody may fill in."""
    found: set[str] = set()
    sections = {path for path in links(browser, home) if re.fullmatch(f"{home}/parts/\\w+", path)}
    for section in sorted(sections):
        found |= {path for path in links(browser, section) if path.startswith(f"{section}/")}
    return sorted(found)


def links(browser: FlaskClient, path: str) -> list[str]:
    """Return where a page leads."""
    return [link.partition("?")[0] for _text, link in read(browser.get(path).text).links]


def edit_form(browser: FlaskClient, path: str) -> Form | None:
    """Return the form of a page, if there is one for this reader."""
    found = [one for one in read(browser.get(path).text).forms if "base_version" in one.names]
    return found[0] if found else None


def store(kept: Ground, reader: str, path: str, pairs: Pairs) -> tuple[Dump, set[str]]:
    """Send a form to a company as it was; return all that is stored then, and what was asked of the form."""
    kept.anew()
    data: dict[str, list[str]] = {}
    for name, value in pairs:
        data.setdefault(name, []).append(value)
    with noting(kept.company.factory.app) as asked:
        answer = kept.browsers[reader].post(path, data=data)
    answer.get_data()
    db.session.rollback()
    return (dump(), set(asked)) if answer.status_code in {200, 303} else ({}, set(asked))


def extra(shown: set[str], asked: set[str]) -> Pairs:
    """Return a field for every column there is, but for those that the form asks for or shows."""
    columns = {
        column.name for table in Model.metadata.sorted_tables for column in table.columns
    } - asked
    values = {name: odd_value(name) for name in sorted(columns)} | PROTECTED
    return [(name, value) for name, value in values.items() if name not in shown]


def odd_value(column: str) -> str:
    """Return what somebody would put there who wants more than is theirs."""
    if _TRUE.search(column):
        return "1"
    if column.endswith("_id") or column == "id":
        return "9"
    if column in {"stage", "state", "outcome"}:
        return "closed"
    return "2020-01-01" if column.endswith(("_at", "_on")) else "1"


def tables(one: Dump, other: Dump) -> list[str]:
    """Return the tables in which two dumps differ, without what is left to chance."""
    return [
        table.name
        for table in Model.metadata.sorted_tables
        if not other or settled(table.name, one) != settled(table.name, other)
    ]


def settled(table: str, from_dump: Dump) -> list[str]:
    """Return a table's rows without what is left to chance."""
    names = [column.name for column in Model.metadata.tables[table].columns]
    keep = [place for place, name in enumerate(names) if name not in _CHANCE]
    return sorted(repr([row[place] for place in keep]) for row in from_dump[table])
