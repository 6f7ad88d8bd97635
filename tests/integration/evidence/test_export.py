"""The record as somebody takes it away: whole, or a part, checked by the program that comes with it; damage is named."""

import io
import json
import shutil
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete

from okrgate import clock
from okrgate.approvals import checking
from okrgate.approvals import receipts as proofs
from okrgate.approvals.models import Receipt
from okrgate.audit import chain
from okrgate.audit import service as audit
from okrgate.database import canonical_json, db, transaction
from okrgate.evidence import checkpoints, exporting, verify_export
from okrgate.evidence.exporting import Scope
from okrgate.evidence.walking import walk
from okrgate.watching import service as watching
from tests.integration.approvals.test_receipts import behind
from tests.integration.conftest import Arrive
from tests.integration.journey.company import Company

Files = dict[str, bytes]


@pytest.fixture
def company(arrive: Arrive) -> Company:
    """Mia has signed, Vik has not; somebody did something elsewhere before and after."""
    company = arrive("half approved")
    with transaction():
        audit.record("person.changed", by=company.ids["Pat"], reason="A secret of somebody else")
    return company


def exported(scope: Scope | None = None) -> Files:
    content = b"".join(exporting.stream(scope or Scope()))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def put(files: Files, folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


@pytest.fixture
def checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Return what the program says of files, in the words it prints."""

    def check(files: Files, *arguments: str) -> str:
        code = verify_export.main([str(put(files, tmp_path / "export")), *arguments])
        said = capsys.readouterr().out
        assert said.startswith("PASS" if code == 0 else "FAIL")
        return said

    return check


def rows_of(files: Files, name: str = "records.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in files[name].splitlines()]


def with_rows(files: Files, rows: list[dict[str, Any]], name: str = "records.jsonl") -> Files:
    return {**files, name: b"".join(canonical_json(row).encode() + b"\n" for row in rows)}


def test_an_auditor_takes_the_record_and_checks_it_elsewhere(
    company: Company, tmp_path: Path
) -> None:
    answer = company["Aud"].client.post("/audit/proof")
    assert answer.mimetype == "application/zip"
    (tmp_path / "record.zip").write_bytes(answer.data)
    with zipfile.ZipFile(tmp_path / "record.zip") as archive:
        assert archive.read("verify.py") == exporting.PROGRAM.read_bytes()
        (tmp_path / "verify.py").write_bytes(archive.read("verify.py"))
        assert "canonical JSON" in archive.read("README.txt").decode()
        assert "Mia" in json.loads(archive.read("people.json")).values()
        head = json.loads(archive.read("manifest.json"))["head"]
    db.session.rollback()
    said = subprocess.run(
        [sys.executable, "-I", "-S", "verify.py", "record.zip"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert said.startswith("PASS\n")
    assert f"{head['seq']}:{head['hash']}" in said
    assert (head["seq"], head["hash"]) == audit.head()
    assert f"and {len(company.receipts())} receipts" in said
    newest = audit.page(audit.Filter(), limit=1)[0]
    assert (newest.action, newest.details) == (
        "audit.exported",
        {"all": "the whole record", "with": "proof"},
    )


def test_a_changed_byte_of_a_row_is_named_with_its_field(
    company: Company, checked: Callable[..., str]
) -> None:
    files = exported()
    assert checked(files).startswith("PASS")
    rows = rows_of(files)
    at = next(number for number, row in enumerate(rows) if row["body"]["reason"])
    for field in ("action", "actor", "at", "details", "project", "reason"):
        changed = json.loads(canonical_json(rows))
        body = changed[at]["body"]
        body[field] = other(body[field])
        said = checked(with_rows(files, changed))
        assert f"FAIL: row {at + 1} of the record, field {field}: was changed" in said, field
    for field in ("hash", "prev_hash"):
        changed = json.loads(canonical_json(rows))
        changed[at][field] = other(changed[at][field])
        assert f"row {at + 1} of the record, field {field}" in checked(with_rows(files, changed))


def other(value: Any) -> Any:
    """Change one byte or one number."""
    if value is None:
        return 7
    if isinstance(value, int):
        return value + 1
    if isinstance(value, dict):
        return {**value, "zz": 1} if not value else dict(list(value.items())[:-1]) | _last(value)
    return (value[:-1] + ("1" if value[-1] == "0" else "0")) if value else "x"


def _last(value: dict[str, Any]) -> dict[str, Any]:
    name, said = list(value.items())[-1]
    return {name: other(said)}


def test_rows_removed_slipped_in_or_cut_off_are_named(
    company: Company, checked: Callable[..., str]
) -> None:
    files = exported()
    rows = rows_of(files)
    assert "row 5 of the record is missing" in checked(with_rows(files, rows[:4] + rows[5:]))
    assert "row 6 of the record is missing" in checked(
        with_rows(files, [*rows[:5], rows[4], *rows[5:]])
    )
    count = len(rows)
    head = f"{count}:{rows[-1]['hash']}"
    shorter = with_rows(files, rows[:-2])
    assert f"the record ends at row {count - 2}" in checked(shorter)
    assert "before the checkpoint" in checked(shorter, "--checkpoint", head)
    assert "The checkpoint matches" in checked(files, "--checkpoint", head)


def test_changed_receipts_and_rules_are_named(
    company: Company, checked: Callable[..., str]
) -> None:
    files = exported()
    receipts = rows_of(files, "receipts.jsonl")
    number = receipts[2]["id"]
    for field in ("meaning", "at", "by", "gate"):
        changed = json.loads(canonical_json(receipts))
        changed[2]["body"][field] = other(changed[2]["body"][field])
        changed[2]["hash"] = verify_export.digest(changed[2]["body"])
        said = checked(with_rows(files, changed, "receipts.jsonl"))
        assert f"FAIL: receipt {number}, field {field}: was changed" in said
    signed = next(place for place, one in enumerate(receipts) if one["signoff"])
    changed = json.loads(canonical_json(receipts))
    changed[signed]["signoff"]["decision"] = "declined"
    said = checked(with_rows(files, changed, "receipts.jsonl"))
    assert f"the sign-off of receipt {receipts[signed]['id']}, field decision: was changed" in said
    assert "it is not here" in checked(with_rows(files, receipts[1:], "receipts.jsonl"))
    rules = next(name for name in files if name.startswith("rules/"))
    assert f"{rules} was changed" in checked({**files, rules: files[rules] + b" "})
    assert "people.json is not the file" in checked({**files, "people.json": b"{}"})
    assert "manifest.json is missing" in checked(
        {name: content for name, content in files.items() if name != "manifest.json"}
    )


def test_a_project_alone_keeps_its_place_and_tells_nothing_of_others(
    company: Company, checked: Callable[..., str]
) -> None:
    elsewhere = company.factory.project("Elsewhere")
    with transaction():
        audit.record("project.marked", by=None, project_id=elsewhere.id, reason="Hidden")
    project = company.project()
    files = exported(Scope(project_id=project.id))
    everything = b"".join(
        content for name, content in files.items() if name not in {"README.txt", "verify.py"}
    )
    seq, head = audit.head()
    listing = chain.marks_at(seq)[1]

    assert b"A secret" not in everything
    assert b"Hidden" not in everything
    assert {row["body"]["project"] for row in rows_of(files) if "body" in row} == {project.id}
    said = checked(files, "--checkpoint", f"{seq}:{listing}")
    assert said.startswith("PASS")
    assert "known by the second line of a checkpoint only" in said
    rows = rows_of(files)
    rows[-1]["hash"] = "0" * 64
    files["manifest.json"] = files["manifest.json"].replace(head.encode(), b"0" * 64)
    assert "is not the one of the checkpoint" in checked(
        with_rows(files, rows), "--checkpoint", f"{seq}:{listing}"
    )


def test_a_time_alone(company: Company, checked: Callable[..., str]) -> None:
    entries = company.entries()
    middle = entries[len(entries) // 2].at
    files = exported(Scope(since=middle, until=clock.now() + timedelta(days=4000)))
    full = [row for row in rows_of(files) if "body" in row]

    assert 0 < len(full) < len(rows_of(files))
    assert checked(files).startswith("PASS")


def test_a_search_that_makes_no_sense_is_answered_kindly(company: Company) -> None:
    answer = company["Aud"].client.post("/audit/proof", data={"project": "NOPE"})

    assert answer.status_code == 303
    assert "There is no project" in company["Aud"].client.get("/audit?project=NOPE").text


def test_a_receipt_is_checked_from_its_paper(
    company: Company, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    receipt = company.receipts()[-1]
    paper = tmp_path / "receipt.pdf"
    paper.write_bytes(company["Aud"].client.get(f"/receipts/{receipt.id}.pdf").data)

    assert verify_export.main([str(paper)]) == 0
    printed = capsys.readouterr().out
    assert f"Receipt {receipt.id} says what was written." in printed
    assert f"meaning: {receipt.meaning}\n" in printed
    assert "Hold this against the page: the page itself is not checked." in printed
    proof = json.loads(verify_export._attached(paper.read_bytes()))
    misnumbered = {**proof, "record": {**proof["record"], "seq": 1}}
    (tmp_path / "misnumbered.json").write_text(json.dumps(misnumbered), encoding="utf-8")
    assert verify_export.main([str(tmp_path / "misnumbered.json")]) == 1
    assert "another number" in capsys.readouterr().out
    proof["receipt"]["body"]["meaning"] += "."
    file = tmp_path / "receipt.json"
    file.write_text(json.dumps(proof), encoding="utf-8")
    assert verify_export.main([str(file)]) == 1
    assert "field meaning: was changed" in capsys.readouterr().out


def pdf_around(*texts: bytes, end: bytes = b"\n") -> bytes:
    streams = (b"stream\n" + zlib.compress(text) + end + b"endstream\n" for text in texts)
    return b"%PDF-1.7\n" + b"".join(streams)


def test_any_last_byte_of_what_is_inside_a_paper_is_read() -> None:
    texts = (b'{"format":"okrgate receipt 1","n":%d}' % number for number in range(5000))
    text = next(one for one in texts if zlib.compress(one).endswith(b"\r"))

    for end in (b"\n", b"\r\n"):
        assert verify_export._attached(pdf_around(b"A page", text, end=end)) == text
    with pytest.raises(verify_export.Wrong, match="more than one receipt"):
        verify_export._attached(pdf_around(text, text))
    with pytest.raises(verify_export.Wrong, match="no receipt"):
        verify_export._attached(pdf_around(b"A page"))


def test_the_walk_finds_nothing_where_nothing_was_changed(company: Company) -> None:
    found = walk(audit.head())

    assert found.problems == ()
    assert found.receipts == len(company.receipts())
    assert found.rows == audit.head()[0]


def sealed_again(number: int, meaning: str) -> None:
    """Rewrite a receipt, and seal it a second time, elsewhere, as somebody with the database in hand could."""
    if db.engine.dialect.name == "sqlite":
        behind("DROP TRIGGER IF EXISTS receipts_no_update")
    first = checking.sealed_by(number)
    assert first is not None
    behind("UPDATE receipts SET meaning = :to WHERE id = :id", to=meaning, id=number)
    said = checking.body(checking.columns("receipts", [number])[number], checking.RECEIPT)[0]
    assert said is not None
    digest, marks = verify_export.digest(said), verify_export.marks(said)
    behind("UPDATE receipts SET hash = :to WHERE id = :id", to=digest, id=number)
    details = {**first.details, "receipt": digest, "parts": marks}
    with transaction():
        audit.record(proofs.SEALED, by=None, target=f"receipt:{number}", details=details)


def test_a_receipt_rewritten_and_sealed_again_is_found(
    company: Company, checked: Callable[..., str]
) -> None:
    number = company.receipts()[-1].id

    sealed_again(number, "Never said")

    found = walk().problems
    assert f"receipt {number}: is sealed twice" in found
    looked = checking.look(number)
    assert looked is not None
    assert f"receipt {number}: is sealed twice" in map(str, looked.faults)
    assert f"receipt {number}, column meaning: was changed after it was written" in map(
        str, looked.faults
    )
    db.session.rollback()
    assert f"receipt {number} is sealed twice" in checked(exported())


def test_each_of_two_checkpoints_of_one_row_has_to_hold(
    company: Company, checked: Callable[..., str]
) -> None:
    files, (seq, head) = exported(), audit.head()
    right, wrong = f"{seq}:{head}", f"{seq}:{'0' * 64}"

    assert "The checkpoint matches" in checked(files, "--checkpoint", right, "--checkpoint", right)
    for order in ((right, wrong), (wrong, right)):
        said = checked(files, *(part for one in order for part in ("--checkpoint", one)))
        assert "is not the one of the checkpoint" in said


def test_the_walk_looks_at_receipts_and_rounds_of_any_number(company: Company) -> None:
    known = company.receipts()[-1].id
    columns = [
        f'"{one.name}"' for one in Receipt.__table__.columns if one.name not in {"id", "signoff_id"}
    ]
    for number in (0, -7):
        behind(
            f"INSERT INTO receipts (id, {', '.join(columns)})"  # noqa: S608 our own names
            f" SELECT {number}, {', '.join(columns)} FROM receipts WHERE id = {known}"
        )

    found = walk().problems

    for number in (0, -7):
        assert f"receipt {number}: has no row of the record that seals it" in found


def test_rules_that_cannot_be_read_are_named_and_stop_nobody(
    company: Company, checked: Callable[..., str]
) -> None:
    if db.engine.dialect.name != "sqlite":
        pytest.skip("Only this database takes text that is none.")
    behind("UPDATE rulebook_versions SET text = CAST(text || x'ff' AS TEXT)")

    assert any(one.endswith("column text: cannot be read") for one in walk().problems)
    assert not watching.check_chain()
    taken = checkpoints.take()
    assert taken is not None
    assert not taken.whole
    assert "column text: cannot be read" in taken.problem
    db.session.rollback()
    assert "are not here, or were changed" in checked(exported())


def test_a_walk_that_cannot_go_on_says_so(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(_row: object) -> Any:
        raise OverflowError

    monkeypatch.setattr(checking, "round_faults", breaks)

    assert "what was signed cannot be read to its end (OverflowError)" in walk().problems
    assert not watching.check_chain()


def test_a_number_that_no_receipt_can_have_is_named(company: Company) -> None:
    with transaction():
        for number in ("9" * 19, "9" * 20):
            audit.record(proofs.SEALED, by=None, target=f"receipt:{number}")

    found = walk().problems

    assert any("9" * 19 in one for one in found)
    assert f"row {audit.head()[0]}, column target: seals no receipt" in found


def test_receipts_slipped_into_an_export_are_found(
    company: Company, checked: Callable[..., str]
) -> None:
    files = exported()
    receipts = rows_of(files, "receipts.jsonl")
    last = receipts[-1]
    for number, said in (
        (f"0{last['id']}", "has not a number"),
        (last["id"], "has not a number"),
        (last["id"] + 1, f"receipt {last['id'] + 1} has no row of the record that seals it"),
    ):
        body = {**last["body"], "meaning": "Never said"}
        forged = {**last, "id": number, "body": body, "hash": verify_export.digest(body)}
        assert said in checked(with_rows(files, [*receipts, forged], "receipts.jsonl"))


def test_an_export_that_hides_rows_is_not_whole(
    company: Company, checked: Callable[..., str]
) -> None:
    files = exported()
    rows = rows_of(files)
    rows[3] = {"seq": rows[3]["seq"], "hash": rows[3]["hash"]}

    assert "all: the whole record" in checked(files)
    assert "as hashes alone" in checked(with_rows(files, rows))
    said = checked(exported(Scope(project_id=company.project().id)))
    assert f"project: {company.project().reference}" in said
    assert "rows can have been left out without being noticed" in said


def test_the_walk_finds_receipts_slipped_in_and_taken_away(company: Company) -> None:
    known = company.receipts()[-1]
    columns = [
        one.name for one in Receipt.__table__.columns if one.name not in {"id", "signoff_id"}
    ]
    with transaction() as session:
        forged = Receipt(**{name: getattr(known, name) for name in columns})
        forged.hash = proofs.receipt_hash(forged)
        session.add(forged)
        session.flush()
        number = forged.id
    assert walk().problems == (f"receipt {number}: has no row of the record that seals it",)
    with transaction() as session:
        session.execute(delete(Receipt).where(Receipt.id.in_((number, known.id))))
    assert walk().problems == (f"receipt {known.id}: is sealed in the record, but it is gone",)
