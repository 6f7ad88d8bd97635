"""The second factor of a strict decision goes with what is taken away, and is bound by the record like all else."""

import io
import json
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import text

from okrgate.database import canonical_json, db
from okrgate.evidence import exporting, verify_export
from okrgate.evidence.exporting import Scope
from okrgate.evidence.walking import walk
from tests.integration.conftest import Arrive
from tests.integration.factors.strict import give_app, send, strict_gate, token_in


def test_a_second_factor_is_taken_away_and_checked(
    arrive: Arrive,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    company = arrive("half approved")
    monkeypatch.setitem(*strict_gate(company))
    vault, client = give_app(company.ids["Vik"]), company["Vik"].client
    token = token_in(send(client, company, 200))
    send(client, company, 303, factor_token=token, factor_code=vault.code())
    db.session.rollback()
    with zipfile.ZipFile(io.BytesIO(b"".join(exporting.stream(Scope())))) as archive:
        archive.extractall(tmp_path)

    assert verify_export.main([str(tmp_path)]) == 0
    assert walk().problems == ()
    file = tmp_path / "receipts.jsonl"
    receipts = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    (signed,) = [one for one in receipts if one["signature"]]
    assert signed["signature"]["method"] == "app"
    capsys.readouterr()
    for named, factor in (
        ("field method: was changed", {**signed["signature"], "method": "passkey"}),
        ("is missing", None),
    ):
        changed = [{**one, "signature": factor} if one is signed else one for one in receipts]
        file.write_text("".join(canonical_json(one) + "\n" for one in changed), encoding="utf-8")
        assert verify_export.main([str(tmp_path)]) == 1
        said = capsys.readouterr().out
        assert f"the second factor of receipt {signed['id']}" in said
        assert named in said
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE signature_proofs SET label = 'Another'"))
    assert [one for one in walk().problems if "column label: was changed" in one]
