"""Every promise of the shipped rules is proved, and refuted as soon as what guards it is weakened."""

from dataclasses import replace
from pathlib import Path

import pytest

from okrgate.gates.answering import Asker
from okrgate.gates.checks import check_rulebook
from okrgate.gates.conditions import Compare, Ref
from okrgate.gates.language import load_rulebook
from okrgate.gates.model import Gate, Requirement, Rulebook, Transition
from okrgate.gates.proving import prove, prove_promises

RULES = Path(__file__).resolve().parents[2] / "rules"
TEXT = (RULES / "stage_gates.yaml").read_text("utf-8")
SHIPPED = load_rulebook(TEXT)

GUARDS = [
    ("no-work-without-signoff", "one-executive"),
    ("no-work-without-signoff", "both-executives"),
    ("two-above-the-limit", "both-executives"),
    ("no-kick-off-without-plan", "one-accountable"),
    ("no-kick-off-without-plan", "bands-still-whole"),
    ("nothing-closes-unread", "checkpoints-read"),
]
WEAKER: dict[str, dict[str, str]] = {
    "soft": {"severity": "soft"},
    "on trial": {"mode": "evaluate"},
}


def _broken(rulebook: Rulebook) -> dict[str, str]:
    """Return the promises that are broken, and what is said of each."""
    return {
        promise.id: one.sentence
        for one in prove_promises(rulebook)
        for promise in rulebook.invariants
        if one.severity == "error" and one.line == promise.line
    }


def _changed(name: str, **changes: object) -> Rulebook:
    def one(requirement: Requirement) -> Requirement:
        return replace(requirement, **changes) if requirement.id == name else requirement  # type: ignore[arg-type]

    gates = {
        key: replace(gate, requirements=tuple(map(one, gate.requirements)))
        for key, gate in SHIPPED.gates.items()
    }
    assert gates != SHIPPED.gates
    return replace(SHIPPED, gates=gates)


def _without(name: str) -> Rulebook:
    def rest(gate: Gate) -> Gate:
        return replace(gate, requirements=tuple(o for o in gate.requirements if o.id != name))

    return replace(SHIPPED, gates={key: rest(gate) for key, gate in SHIPPED.gates.items()})


def _with(*moves: Transition) -> Rulebook:
    known = {**SHIPPED.transitions, **{one.id: one for one in moves}}
    return replace(SHIPPED, transitions=known)


@pytest.mark.parametrize(
    "path", [RULES / "stage_gates.yaml", RULES / "examples" / "device_change.yaml"], ids=lambda path: path.stem
)  # fmt: skip
def test_every_promise_is_proved(path: Path) -> None:
    rulebook = load_rulebook(path.read_text("utf-8"))

    assert rulebook.invariants
    assert all(one.label for one in rulebook.invariants)
    assert prove(rulebook) == []


def test_the_guards_are_tried_for_every_promise() -> None:
    assert {promise for promise, _ in GUARDS} == {one.id for one in SHIPPED.invariants}


@pytest.mark.parametrize(("promise", "guard"), GUARDS)
def test_a_promise_is_broken_by_a_weaker_guard_and_without_it(promise: str, guard: str) -> None:
    promises = tuple(one for one in SHIPPED.invariants if one.id == promise)
    weakened = {name: _changed(guard, **changes) for name, changes in WEAKER.items()}
    weakened["gone"] = _without(guard)

    for name, rulebook in weakened.items():
        assert promise in _broken(replace(rulebook, invariants=promises)), name


def test_the_way_and_an_example_project_are_told() -> None:
    told = _broken(_without("both-executives"))["two-above-the-limit"]

    assert (
        "Submission → Opportunity review → Backlog → Planning → Final approval → Kick-off → Execution"
        in told
    )
    assert "Budget is 50,000.01" in told
    assert "missing: Budget: at most 50,000.00 (50,000.01)" in told
    assert "approvals by 2 different people (0)" in told


KICK_OFF, PLANNING, WORK = "kick_off", "plan_work", "in_execution"
SIGNED = {"no-work-without-signoff", "two-above-the-limit"}
PLANNED = {"no-kick-off-without-plan"}

# moves that are added, and what they break
WAYS_ROUND: dict[str, tuple[Transition, set[str]]] = {
    "a way past both gates": (Transition("x", "X", (PLANNING,), KICK_OFF, ("project_lead",)), SIGNED | PLANNED),
    "a return that skips the signing": (
        Transition("return_plan", "X", ("final_approval",), KICK_OFF, ("vice_president",), kind="return", voids_signoffs=True), SIGNED | PLANNED,
    ),
    "a return that voids what was signed": (
        Transition("x", "X", (WORK,), KICK_OFF, ("project_lead",), kind="return", voids_signoffs=True), SIGNED | PLANNED,
    ),
    "a return that leaves it signed": (Transition("x", "X", (WORK,), KICK_OFF, ("project_lead",), kind="return"), set()),
    "parked, and resumed elsewhere": (
        Transition("x", "X", ("on_hold",), KICK_OFF, ("process_office",), kind="resume"), SIGNED | PLANNED,
    ),
    "a way on by itself": (
        Transition("x", "X", ("opportunity_review",), KICK_OFF, gate="idea_complete", kind="stop", auto=True), SIGNED | PLANNED,
    ),
    "a way past the readings": (Transition("x", "X", ("measuring",), "look_back", ("project_lead",)), {"nothing-closes-unread"}),
    "declined into the work": (Transition("x", "X", (PLANNING,), WORK, ("vice_president",), kind="decline"), SIGNED),
    "withdrawn into the work": (Transition("x", "X", (PLANNING,), WORK, ("project_lead",), kind="withdraw"), SIGNED),
    "a stop is not a way on": (Transition("x", "X", (PLANNING,), "look_back", ("process_office",), kind="stop"), set()),
}  # fmt: skip


@pytest.mark.parametrize("name", WAYS_ROUND)
def test_a_way_round_a_gate_breaks_what_it_kept(name: str) -> None:
    move, broken = WAYS_ROUND[name]

    assert set(_broken(_with(move))) == broken


def test_what_only_adopted_projects_are_spared_breaks_no_promise() -> None:
    def unless(fact: str) -> Rulebook:
        return _changed("checkpoints-read", when=Compare(Ref(fact, "boolean"), "ne", True))

    assert "nothing-closes-unread" not in _broken(unless("project.adopted"))
    assert "nothing-closes-unread" in _broken(unless("project.confidential"))


def test_what_is_not_decided_is_said_of_each_promise() -> None:
    found = prove_promises(SHIPPED, Asker(SHIPPED, left=0))

    assert [(one.line, one.severity) for one in found] == [
        (one.line, "warning") for one in SHIPPED.invariants
    ]
    assert all("could not decide" in one.sentence for one in found)


def test_a_broken_promise_refuses_the_file_on_its_line() -> None:
    text = TEXT.replace(
        "{id: checkpoints-read, message: Read every checkpoint or say why it cannot be read, severity: hard,",
        "{id: checkpoints-read, message: Read every checkpoint or say why it cannot be read, severity: advisory,",
    )
    line = text[: text.index("- id: nothing-closes-unread")].count("\n") + 1

    found = [one for one in check_rulebook(text) if "promise" in one.sentence]

    assert [(one.line, one.severity) for one in found] == [(line, "error")]
    assert "Checkpoints not read" in found[0].sentence


@pytest.mark.parametrize(
    ("promise", "said"),
    [
        ("{id: p, never_reach: kickoff, unless: {fact: scope.budget, gte: 0}}", "unknown stage kickoff; did you mean kick_off?"),
        ("{id: p, always: {fact: scope.budget, gte: 0}, at: begin_wrok}", "unknown transition begin_wrok; did you mean begin_work?"),
        ("{id: p, never_reach: kick_off, unless: {fact: scope.bugdet, gte: 0}}", "unknown fact scope.bugdet; did you mean scope.budget?"),
        ("{id: p, never_reach: kick_off, unless: {signoff: {role: ceo, quorum: 1}}}", "unknown role ceo"),
        ("{id: p, never_reach: kick_off}", "an invariant says either never_reach and unless, or always and at"),
        ("{id: p, help: Because, never_reach: nowhere, unless: {fact: scope.budget, gte: 0}}", "unknown stage nowhere"),
        ("{id: p, label: [], never_reach: kick_off, unless: {fact: scope.budget, gte: 0}}", "label has to be a text"),
    ],
)  # fmt: skip
def test_a_promise_that_cannot_be_read_is_refused_with_its_place(promise: str, said: str) -> None:
    text = TEXT.replace("invariants:\n", f"invariants:\n  - {promise}\n")
    line = text[: text.index(promise)].count("\n") + 1

    found = [one for one in check_rulebook(text) if one.severity == "error"]

    assert [(one.line, said in one.sentence) for one in found] == [(line, True)]


def test_what_is_promised_together_may_be_asked_for_by_gate_after_gate() -> None:
    both = "{all: [{fact: kickoff.attendees, gte: 2}, {signoff: {role: [managing_director, vice_president], quorum: 1}}]}"
    text = TEXT.replace(
        "invariants:\n", f"invariants:\n  - {{id: p, never_reach: in_execution, unless: {both}}}\n"
    )
    rulebook = load_rulebook(text)
    only = replace(rulebook, invariants=rulebook.invariants[:1])
    assert only.invariants[0].id == "p"

    assert _broken(only) == {}
    assert "p" in _broken(replace(only, gates=_without("both-executives").gates))
