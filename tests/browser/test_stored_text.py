"""Stored text cannot run: markup stands in what people wrote, and a page of each kind they are led to is opened."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Page
from sqlalchemy import Column, String, Table, Text

from okrgate.app import create_app
from okrgate.database import db
from tests.browser.conftest import SignedIn
from tests.browser.crawling import Crawl, Seeing
from tests.browser.people import watch
from tests.browser.test_imports import bring
from tests.conftest import settings_for
from tests.integration.test_hostile_markup import PAYLOADS

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

PEOPLE = ("ada", "greta", "chiara", "kira", "petra", "tara", "omar", "ines")
# Short words that people choose; every longer text is one of theirs, too.
NAMES = {
    "activity",
    "device",
    "domain",
    "help_contact",
    "label",
    "name",
    "title",
    "unit_of_measure",
    "who",
}
# Rules are read by the judge before anybody sees them; the chain of records is never written to.
NOT_TYPED = {"counters", "periodic_runs", "audit_entries", "rulebook_versions", "rulebook_drafts"}
# A markup that acts would call this, from wherever it stands.
_LISTEN = "window.zqCalled = []; window.zq = () => { window.zqCalled.push(document.URL); };"
_ELEMENTS = """
() => [...document.querySelectorAll("*")].filter((one) =>
    one.localName.includes("zq")
    || [...one.attributes].some((its) => its.name.startsWith("on") || its.name.includes("zq"))
    || ["href", "src", "action", "formaction", "data", "srcdoc"].some((name) =>
        /^\\s*(javascript|data|vbscript):|^<script/i.test(one.getAttribute(name) || "")
        && !(one.getAttribute(name) || "").startsWith("data:image/"))
).map((one) => one.outerHTML.slice(0, 200))
"""


@pytest.fixture
def plan(tmp_path: Path) -> Flask:
    """Return an application that knows every address and every table."""
    return create_app(settings_for(f"sqlite:///{tmp_path}/nothing.db", tmp_path))


def test_nothing_that_is_stored_runs_on_any_page(
    signed_in: SignedIn, plan: Flask, tmp_path: Path
) -> None:
    assert len(set(PAYLOADS)) >= 150
    pages = {name: signed_in(name) for name in PEOPLE}
    head = ";".join('"' + one.replace('"', '""') + '"' for one in PAYLOADS[:40])
    bring(pages["ada"], f"{head}\r\n{head}\r\n")
    with plan.app_context(), closing(sqlite3.connect(tmp_path / "okrgate.db")) as database:
        filled = [name for table in db.metadata.sorted_tables for name in fill(database, table)]
        database.commit()
    assert len(filled) > 60

    acted: list[str] = []
    known: Counter[str] = Counter()
    for page in pages.values():
        acted += walk(page, plan, known)

    assert acted == []
    assert sum(count > 0 for count in known.values()) > 45


def walk(page: Page, plan: Flask, known: Counter[str]) -> list[str]:
    """Open every kind of page that nobody opened before; return whatever acted or broke."""
    page.add_init_script(_LISTEN)
    acted = watch(page)
    page.on("dialog", lambda dialog: acted.append(f"{page.url} asks {dialog.message}"))
    for seen in Crawl(plan, Seeing(page), known).pages():
        if seen.status >= 500:
            acted.append(f"{seen.path} answers {seen.status}")
        if seen.status != 200:
            known[seen.kind] -= 1
            continue
        acted += [f"{seen.path} ran {one}" for one in page.evaluate("window.zqCalled")]
        acted += [f"{seen.path} holds {one}" for one in page.evaluate(_ELEMENTS)]
    return acted


def fill(database: sqlite3.Connection, table: Table) -> Iterator[str]:
    """Put all the payloads into each text of each row, each time another one first; yield the texts' names."""
    typed = [] if table.name in NOT_TYPED else list(filter(is_typed, table.columns))
    if not typed:
        return
    rows = [row for (row,) in database.execute(f"SELECT rowid FROM {table.name}")]  # noqa: S608
    for place, column in enumerate(typed if rows else []):
        for row in rows:
            first = (row * 37 + place * 11) % len(PAYLOADS)
            text = "\n".join([*PAYLOADS[first:], *PAYLOADS[:first], str(row)])
            database.execute(
                f"UPDATE {table.name} SET {column.name} = ? WHERE rowid = ?",  # noqa: S608
                (text, row),
            )
        yield f"{table.name}.{column.name}"


def is_typed(column: Column[object]) -> bool:
    """Tell whether a column keeps words as people wrote them."""
    if type(column.type) is Text:
        return True
    return type(column.type) is String and column.name in NAMES
