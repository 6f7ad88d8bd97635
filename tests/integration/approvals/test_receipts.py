"""A receipt says what was decided, proves it, and names what was changed behind the application's back."""

import json
import re
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from okrgate import clock
from okrgate.approvals import checking, receipts, rejudging
from okrgate.approvals.models import Receipt
from okrgate.audit.models import Entry
from okrgate.database import canonical_json, db, transaction
from okrgate.rulebooks import service as rulebooks
from tests.integration.conftest import Arrive
from tests.integration.journey.company import Company


@pytest.fixture
def company(arrive: Arrive) -> Company:
    """Mia has signed, Vik has not."""
    return arrive("half approved")


def mias(company: Company) -> Receipt:
    db.session.rollback()
    return db.session.scalars(
        select(Receipt).where(Receipt.by_id == company.ids["Mia"]).order_by(Receipt.id.desc())
    ).first()  # type: ignore[return-value]


def behind(statement: str, **values: object) -> None:
    """Change a table as somebody with the database in hand could."""
    db.session.rollback()
    if db.engine.dialect.name == "sqlite":
        with closing(sqlite3.connect(str(db.engine.url.database))) as file, file:
            file.execute(statement, values)
        return
    with db.engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text(statement), values)


def each_column_changed(
    table: str, number: int, columns: Iterable[str]
) -> Iterator[tuple[str, object]]:
    """Change one byte of one column after the other, and put each back."""
    for column in columns:
        fetch = text(f'SELECT "{column}" FROM {table} WHERE id = :id')  # noqa: S608
        value = db.session.execute(fetch, {"id": number}).scalar_one()
        store = f'UPDATE {table} SET "{column}" = :to WHERE id = :id'  # noqa: S608
        behind(store, to=flipped(value), id=number)
        yield column, value
        behind(store, to=value, id=number)


def flipped(value: Any) -> Any:
    if isinstance(value, datetime):
        return value + timedelta(microseconds=1)
    if isinstance(value, int):
        return value + 1
    if value is None:
        return 1
    if value == "":
        return "x"
    middle = next(
        (at for at in range(len(value) // 2, len(value)) if value[at].isalnum()), len(value) // 2
    )
    return value[:middle] + ("1" if value[middle] == "0" else "0") + value[middle + 1 :]


def test_the_page_says_who_decided_what_when_and_on_what(company: Company) -> None:
    receipt = mias(company)
    page = company["Aud"].open(f"/receipts/{receipt.id}")

    rules = rulebooks.get_version(receipt.rulebook_version_id)
    assert receipt.meaning in page
    for wanted in (
        f"{rules.title}, version {rules.number}",
        rules.sha256,
        receipt.hash,
        "(matches)",
        " UTC",
        "needed",
        "Place in the record",
        "PDF",
        "Judge again",
    ):
        assert wanted in page, wanted
    assert "no longer" not in page


def test_each_receipt_is_sealed_by_a_row_of_the_record(company: Company) -> None:
    for receipt in company.receipts():
        sealed = checking.sealed_by(receipt.id)
        assert sealed is not None
        assert sealed.faults == ()
        assert sealed.details["receipt"] == receipt.hash
        looked = checking.look(receipt.id)
        assert looked is not None
        assert looked.faults == ()
        assert f"Row {sealed.seq}" in company["Aud"].open(f"/receipts/{receipt.id}")


def test_the_history_does_not_tell_it_twice(company: Company) -> None:
    assert "receipt" not in company["Sue"].open(f"/projects/{company.reference}").lower().replace(
        "receipts", ""
    )
    assert "Receipt written" in company["Aud"].open("/audit")


def test_judged_again_the_verdict_is_the_same(company: Company) -> None:
    found = company.receipts()
    assert len(found) > 3
    for receipt in found:
        again = rejudging.judge_again(receipt)
        assert again.same, (receipt.gate, again)
    before = db.session.scalar(select(Entry.seq).order_by(Entry.seq.desc()).limit(1))
    page = company["Aud"].open(f"/receipts/{found[0].id}?again=1")
    assert "The same verdict" in page
    db.session.rollback()
    assert before == db.session.scalar(select(Entry.seq).order_by(Entry.seq.desc()).limit(1))


def test_judged_again_a_changed_fact_is_named(company: Company) -> None:
    receipt = mias(company)
    verdict = json.loads(canonical_json(receipt.verdict))
    met = next(one for one in verdict["findings"] if one["status"] == "met")
    met["status"] = "missing"
    behind(
        "UPDATE receipts SET verdict = :to WHERE id = :id",
        to=canonical_json(verdict),
        id=receipt.id,
    )

    page = company["Aud"].open(f"/receipts/{receipt.id}?again=1")

    assert "Not the same verdict" in page
    assert met["message"] in page
    assert "column verdict: was changed" in page


def test_a_changed_byte_of_a_receipt_is_found_and_named(company: Company) -> None:
    number, auditor = mias(company).id, company["Aud"].client
    for column, _ in each_column_changed("receipts", number, [*checking.RECEIPT.values(), "hash"]):
        looked = checking.look(number)
        assert looked is not None
        assert ("receipt", column) in named(looked), column
        if column in {"meaning", "facts", "at"}:
            page = auditor.get(f"/receipts/{number}")
            assert page.status_code == 200, column
            assert "This is no longer what was written" in page.text
            assert f"column {column}" in page.text
    looked = checking.look(number)
    assert looked is not None
    assert looked.faults == ()


def test_a_changed_byte_of_a_sign_off_is_found_and_named(company: Company) -> None:
    receipt = mias(company)
    number, signed = receipt.id, receipt.signoff_id
    assert signed is not None
    columns = [one for one in checking.SIGNOFF.values() if one != "id"]
    for column, _ in each_column_changed("signoffs", signed, columns):
        looked = checking.look(number)
        assert looked is not None
        assert ("sign-off", column) in named(looked), column


def test_a_changed_byte_of_what_was_signed_is_found(company: Company) -> None:
    receipt = mias(company)
    number = receipt.id
    query = text("SELECT round_id FROM signoffs WHERE id = :id")
    round_id = db.session.execute(query, {"id": receipt.signoff_id}).scalar_one()
    for _column, _ in each_column_changed("rounds", round_id, ["content", "digest"]):
        page = company["Aud"].client.get(f"/receipts/{number}")
        assert page.status_code == 200
        assert "This is no longer what was written" in page.text
        assert f"Round {round_id}, column content" in page.text


def test_what_cannot_even_be_read_is_named_to_auditors(company: Company) -> None:
    number = mias(company).id
    behind("UPDATE receipts SET facts = '{' WHERE id = :id", id=number)

    page = company["Aud"].client.get(f"/receipts/{number}")

    assert page.status_code == 200
    assert f"Receipt {number}, column facts: cannot be read" in page.text
    assert company["Mia"].client.get(f"/receipts/{number}").status_code == 404


def named(looked: checking.Looked) -> set[tuple[str, str]]:
    return {(one.table, one.column) for one in looked.faults}


def test_a_receipt_and_its_hash_changed_together_are_found(company: Company) -> None:
    receipt = mias(company)
    with transaction() as session:
        row = session.get_one(Receipt, receipt.id)
        row.meaning = row.meaning.replace("Mia", "Vik")
        row.hash = receipts.receipt_hash(row)
    assert receipts.is_intact(mias(company))

    page = company["Aud"].open(f"/receipts/{receipt.id}")

    assert f"Receipt {receipt.id}, column meaning: was changed" in page


def test_the_rules_changed_behind_a_receipt_are_found(company: Company) -> None:
    receipt = mias(company)
    behind("UPDATE rulebook_versions SET text = text || '# '")

    assert "column text: does not match its hash" in company["Aud"].open(f"/receipts/{receipt.id}")


def test_a_receipt_that_nobody_sealed_says_so(company: Company) -> None:
    receipt = mias(company)
    if db.engine.dialect.name == "sqlite":
        behind("DROP TRIGGER audit_entries_no_update")
    behind("UPDATE audit_entries SET action = 'x' WHERE target = :of", of=f"receipt:{receipt.id}")

    assert "before receipts were sealed" in company["Aud"].open(f"/receipts/{receipt.id}")


def attachment(paper: bytes) -> dict[str, Any]:
    for found in re.finditer(rb"stream\r?\n(.*?)\r?\nendstream", paper, re.DOTALL):
        try:
            content = zlib.decompress(found[1])
        except zlib.error:
            continue
        if content.startswith(b'{"format":"okrgate receipt'):
            said: dict[str, Any] = json.loads(content)
            return said
    raise AssertionError("nothing is attached")


def test_the_paper_is_the_same_each_time_and_proves_itself(company: Company) -> None:
    receipt = mias(company)
    first = company["Aud"].client.get(f"/receipts/{receipt.id}.pdf")
    with clock.moved_to(clock.now() + timedelta(days=40)):
        second = company["Mia"].client.get(f"/receipts/{receipt.id}.pdf")

    assert first.mimetype == "application/pdf"
    assert first.data.startswith(b"%PDF-1.7")
    assert first.data == second.data
    proof = attachment(first.data)
    assert receipts.hash_of(proof["receipt"]["body"]) == proof["receipt"]["hash"] == receipt.hash
    assert proof["record"]["body"]["details"]["receipt"] == receipt.hash
    assert b"/Lang (en)" in first.data
    assert b"pdfaid:part>3<" in first.data


def test_the_paper_of_a_changed_receipt_is_another(company: Company) -> None:
    receipt = mias(company)
    first = company["Aud"].client.get(f"/receipts/{receipt.id}.pdf").data
    behind("UPDATE receipts SET meaning = :to WHERE id = :id", to="Mia said no.", id=receipt.id)

    second = company["Aud"].client.get(f"/receipts/{receipt.id}.pdf").data

    assert first != second
    assert receipts.hash_of(attachment(second)["receipt"]["body"]) != receipt.hash
