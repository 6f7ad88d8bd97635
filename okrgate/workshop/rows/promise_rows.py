"""The promises of a draft in plain words, and what the proof says of each: kept, broken, or not decided."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from okrgate.gates.checks import in_child
from okrgate.gates.language import read_rulebook
from okrgate.workshop.rows.conditions_words import in_words, names_of
from okrgate.workshop.rows.gate_messages import filled
from okrgate.workshop.rows.plain_words import PlainWords
from okrgate.workshop.rows.process_rows import Process, group, listed, text

NEVER, ALWAYS = "never", "always"
KEPT, BROKEN, UNDECIDED, UNREAD = "kept", "broken", "undecided", "unread"
CONDITION = {NEVER: "unless", ALWAYS: "always"}
PLACE = {NEVER: "never_reach", ALWAYS: "at"}
_SECONDS = 15.0
_RECENT = 16
_TOKEN = re.compile(r"[a-z][a-z0-9_-]{0,59}\Z", re.ASCII)


@dataclass(frozen=True)
class Proof:
    """What the proof says of one promise; `sentence` shows how it is broken."""

    state: str
    sentence: str = ""


@dataclass(frozen=True)
class PromiseRow:
    """One promise: where it stands, what it says, and whether it is kept."""

    place: int
    token: str
    label: str
    says: str
    proof: Proof

    @property
    def anchor(self) -> str:
        """Return the id of its row on the page."""
        return f"promise-{self.token}"


def rows(process: Process, proofs: Sequence[Proof] | None) -> list[PromiseRow]:
    """Return every promise, in the order of the file. `proofs` None: the rules have to be mended first."""
    names, plain = names_of(process.whole), PlainWords(process)
    found = []
    for place, said in enumerate(promises(process)):
        proof = proofs[place] if proofs is not None and place < len(proofs) else Proof(UNREAD)
        found.append(
            PromiseRow(
                place=place,
                token=token_of(process, place),
                label=filled(text(said.get("label")), names),
                says=sentence(process, said),
                proof=Proof(proof.state, plain.said(proof.sentence)),
            )
        )
    return found


def promises(process: Process) -> list[Mapping[str, Any]]:
    """Return the promises as the file says them."""
    return [group(one) for one in listed(process.whole.get("invariants"))]


def kind_of(said: Mapping[str, Any]) -> str:
    """Tell whether a promise is about reaching a stage or about passing a move."""
    return ALWAYS if any(said.get(one) is not None for one in (ALWAYS, "at")) else NEVER


def sentence(process: Process, said: Mapping[str, Any]) -> str:
    """Say a promise in words."""
    kind = kind_of(said)
    condition = in_words(said.get(CONDITION[kind]), names_of(process.whole)) or "nothing is said"
    if kind == ALWAYS:
        move = process.label("move", text(said.get("at")))
        return f"Whoever passes “{move}” meets this: {condition}"
    stage = process.label("stage", text(said.get("never_reach")))
    return f"Nothing reaches “{stage}” unless: {condition}"


def token_of(process: Process, place: int) -> str:
    """Return what an address calls a promise: its id, where that is one; else its place."""
    every = promises(process)
    name = text(every[place].get("id"))
    is_own = _TOKEN.match(name) and sum(text(one.get("id")) == name for one in every) == 1
    return name if is_own and name != "new" else f"{place + 1}."


def found_by(process: Process, token: str) -> int | None:
    """Return the place of the promise that an address names."""
    every = range(len(promises(process)))
    return next((place for place in every if token_of(process, place) == token), None)


@lru_cache(maxsize=_RECENT)
def proofs(content: str) -> tuple[Proof, ...] | None:
    """Prove the promises of a text, in a process of its own. None: it is no rulebook as it stands."""
    found = in_child(prove, content, _SECONDS)
    if isinstance(found, str):
        return tuple(Proof(UNDECIDED) for _ in range(100))
    return found if found is None else tuple(found)


def prove(content: str) -> list[Proof] | None:
    """Return what the proof says of each promise, in the order of the file."""
    # The solver is heavy and has crashed: it is loaded where rules are checked, and nowhere else.
    from okrgate.gates.proving import prove_promises

    rulebook, _problems = read_rulebook(content)
    if rulebook is None:
        return None
    told = {one.line: one for one in prove_promises(rulebook)}
    found = []
    for promise in rulebook.invariants:
        problem = told.get(promise.line)
        if problem is None:
            found.append(Proof(KEPT))
        elif problem.severity == "error":
            found.append(Proof(BROKEN, problem.sentence.partition(" is broken: ")[2]))
        else:
            found.append(Proof(UNDECIDED))
    return found
