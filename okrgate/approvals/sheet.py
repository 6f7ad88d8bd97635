"""What a receipt says, in words: the same for the page and for the paper."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from okrgate import clock
from okrgate.accounts import directory
from okrgate.approvals import changes, checking, proofs, receipts, rejudging
from okrgate.approvals.checking import Looked
from okrgate.approvals.models import Condition, Receipt, SignoffRow
from okrgate.gates.model import Rulebook
from okrgate.projects.models import Project
from okrgate.rulebooks import service as rulebooks
from okrgate.rulebooks.service import Listed

_RESULTS = {
    "met": ("Met", "success"),
    "missing": ("Missing", "danger"),
    "waived": ("Set aside", "warning"),
    "na": ("Not applicable", "neutral"),
}


@dataclass(frozen=True)
class Needed:
    """One thing that a requirement needed, and what there was."""

    label: str
    needed: str
    had: str


@dataclass(frozen=True)
class Told:
    """One finding: the requirement, how it was found, and what it needed. `stops`: whether it kept the gate closed."""

    message: str
    result: str
    tone: str
    stops: bool
    needed: tuple[Needed, ...]
    concerns: tuple[str, ...]


@dataclass(frozen=True)
class Sheet:
    """A receipt in words. `when` is in the company's zone and in UTC; `content` is (label, text) of what was signed."""

    receipt: Receipt
    project: Project
    rules: Listed
    gate: str
    by: str
    behalf: str
    roles: str
    when: str
    findings: tuple[Told, ...]
    content: tuple[tuple[str, str], ...]
    said: SignoffRow | None
    signature: str
    conditions: tuple[tuple[Condition, str], ...]
    looked: Looked

    @property
    def digest(self) -> str:
        """Return the fingerprint of the content that was signed, computed now."""
        return receipts.hash_of(self.receipt.content)

    @property
    def hash(self) -> str:
        """Return the fingerprint of the receipt, computed now."""
        return receipts.receipt_hash(self.receipt)

    @property
    def withdrawn(self) -> str:
        """Return when the decision was taken back; nothing while it stands."""
        taken_back = self.said.withdrawn_at if self.said else None
        return moment_with_zone(taken_back) if taken_back else ""

    @property
    def title(self) -> str:
        """Return what the receipt is called."""
        return f"Receipt {self.receipt.id}"

    @property
    def faults(self) -> tuple[str, ...]:
        """Return what no longer matches, in sentences."""
        sealed = self.looked.sealed
        of_row = sealed.faults if sealed else ()
        return (
            *(f"{one}." for one in self.looked.faults),
            *(
                f"row {sealed.seq} of the record, which seals it: {one}."
                for one in of_row
                if sealed
            ),
        )


def sheet_of(receipt: Receipt, project: Project) -> Sheet:
    """Put a receipt into words."""
    rulebook = rulebooks.rulebook(receipt.rulebook_version_id)
    said, conditions = receipts.said_in(receipt)
    behalf = said.on_behalf_of_id if said else None
    names = directory.names(
        {
            receipt.by_id,
            behalf,
            *(one.owner_id for one in conditions),
            *changes.people_in(rulebook, receipt.content),
        }
        - {None}
    )
    gate = rulebook.gates.get(receipt.gate)
    looked = checking.look(receipt.id)
    assert looked is not None  # noqa: S101 it was read a moment ago
    return Sheet(
        receipt=receipt,
        project=project,
        rules=rulebooks.get_version(receipt.rulebook_version_id),
        gate=gate.label if gate else receipt.gate,
        by=_name(receipt.by_id, names) if receipt.by_id else "okrgate",
        behalf=_name(behalf, names) if behalf else "",
        roles=_roles(rulebook, said),
        when=moment_with_zone(receipt.at),
        findings=tuple(_findings(receipt, rulebook)),
        content=tuple(changes.content_in_words(rulebook, receipt.content, receipt.facts, names)),
        said=said,
        signature=_signature(said),
        conditions=tuple((one, _name(one.owner_id, names)) for one in conditions),
        looked=looked,
    )


def moment_with_zone(moment: datetime) -> str:
    """Write a moment so that nobody asks where: 4 Dec 2026, 14:02:11 CET (13:02:11 UTC)."""
    local, universal = moment.astimezone(clock.company_zone()), moment.astimezone(UTC)
    said = f"{local.day} {local:%b %Y, %H:%M:%S} {local.tzname()}"
    if local.utcoffset() == universal.utcoffset():
        return said
    day = "" if local.date() == universal.date() else f"{universal.day} {universal:%b}, "
    return f"{said} ({day}{universal:%H:%M:%S} UTC)"


def _name(person: int | None, names: Mapping[int, str]) -> str:
    return names.get(person or 0, f"Person {person}")


def _roles(rulebook: Rulebook, said: SignoffRow | None) -> str:
    known = rulebook.roles
    return (
        ", ".join(known[one].label if one in known else one for one in said.roles) if said else ""
    )


def _signature(said: SignoffRow | None) -> str:
    """Say what a decision was confirmed with, and when: a passkey “Phone”, 4 Dec 2026, 14:02:11 CET (13:02:11 UTC)."""
    proof = proofs.proof_of(said.id) if said else None
    return f"{proof.called}, {moment_with_zone(proof.at)}" if proof else ""


def _findings(receipt: Receipt, rulebook: Rulebook) -> Iterator[Told]:
    asked = rejudging.needed_and_actual(receipt, rulebook)
    for finding in receipt.verdict.get("findings", ()):
        result, tone = _RESULTS.get(finding["status"], (finding["status"], "neutral"))
        if finding["status"] == "missing" and not finding["blocks"]:
            tone = "warning"
            result = (
                "Missing, on trial" if finding["mode"] == "evaluate" else "Missing, advice only"
            )
        why = finding.get("why") or ()
        needed = tuple(Needed(one["label"], one["needed"], one["has"] or "nothing") for one in why)
        if not needed and finding["status"] != "na":
            needed = tuple(
                Needed(one.label, one.needed, one.has or "nothing")
                for one in asked.get(finding["id"], ())
            )
        yield Told(
            message=finding["message"],
            result=result,
            tone=tone,
            stops=bool(finding["blocks"]),
            needed=needed,
            concerns=tuple(finding.get("items", ())),
        )


def file_of(sheet: Sheet) -> dict[str, Any]:
    """Return a receipt with all that proves it, for whoever has nothing else: plain JSON."""
    receipt, looked = sheet.receipt, sheet.looked
    sealed = looked.sealed
    return {
        "format": "okrgate receipt 1",
        "receipt": {"id": receipt.id, "hash": looked.receipt["hash"], "body": looked.body},
        "signoff": looked.signoff,
        "signature": looked.signature,
        "record": {
            "seq": sealed.seq,
            "prev_hash": sealed.previous,
            "hash": sealed.hash,
            "body": sealed.body,
        }
        if sealed
        else None,
        "rules": {
            "process": sheet.rules.process,
            "version": sheet.rules.number,
            "sha256": sheet.rules.sha256,
            "text": sheet.rules.text,
        },
    }
