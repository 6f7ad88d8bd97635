"""The judge. The only module that speaks to durable_rules; whatever goes wrong here keeps a gate closed."""

import json
import re
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import count

import durable_rules_engine as durable  # type: ignore[import-not-found]

from okrgate.gates.asking import Questions, ask
from okrgate.gates.compiler import SENTINEL, CompiledGate, Number, compile_gate
from okrgate.gates.model import Gate, Rulebook
from okrgate.gates.outcome import Outcome, verdict_from
from okrgate.gates.reference import Case, reference_verdict
from okrgate.gates.typed import type_facts
from okrgate.gates.verdict import EngineDisagreement, Facts, GateUnjudgeable, Verdict

__all__ = ["EngineDisagreement", "GateUnjudgeable", "judge", "judge_twice"]

_KEPT = 128
_FIRED = re.compile(r'\{"(\w+)":\{"m":\{"id": ?"(\w+)"', re.ASCII)
_numbers = count()


def judge(rulebook: Rulebook, transition_id: str, facts: Facts, *, today: date) -> Verdict:
    """Return the verdict on a transition; one without a gate is allowed.

    Raises GateUnjudgeable for facts that do not fit and for any fault of the engine: the gate stays closed.
    """
    transition = rulebook.transitions.get(transition_id)
    if transition is None:
        raise GateUnjudgeable(f"The rules have no transition {transition_id[:80]}.")
    if transition.gate is None:
        return Verdict(None, True, (), today, rulebook.sha256)
    gate = rulebook.gates[transition.gate]
    typed = type_facts(rulebook, facts, today, rulebook.gate_reads(gate.id))
    case = Case(rulebook, typed)
    try:
        return verdict_from(rulebook, gate, typed, _asked(rulebook, gate, case), case)
    except GateUnjudgeable:
        _forget(rulebook, gate)
        raise
    except Exception as problem:
        _forget(rulebook, gate)
        raise GateUnjudgeable("The rule engine failed, so this gate stays closed.") from problem


def _asked(rulebook: Rulebook, gate: Gate, case: Case) -> list[Outcome]:
    while True:
        ruleset = _ruleset(rulebook, gate)
        with ruleset.lock:
            if not ruleset.deleted:
                return ask(ruleset.compiled, case, ruleset.questions())


def judge_twice(rulebook: Rulebook, transition_id: str, facts: Facts, *, today: date) -> Verdict:
    """Return the verdict on which engine and plain reference agree. Raises EngineDisagreement if they do not."""
    verdict = judge(rulebook, transition_id, facts, today=today)
    try:
        plain = reference_verdict(rulebook, transition_id, facts, today=today)
    except GateUnjudgeable:
        raise
    except Exception as problem:
        raise GateUnjudgeable("The plain judge failed, so this gate stays closed.") from problem
    if verdict != plain:
        raise EngineDisagreement(
            "The rule engine and the plain judge disagree, so this gate stays closed."
        )
    return verdict


class Ruleset:
    """One gate inside the engine. Ask it one state at a time, under its lock."""

    def __init__(self, gate: Gate) -> None:
        """Compile the gate and hand it to the engine."""
        self.lock = threading.Lock()
        self.deleted = False
        self.compiled: CompiledGate = compile_gate(gate)
        self.names = frozenset(self.compiled.definitions)
        self._handle = durable.create_ruleset(
            f"gate{next(_numbers)}", json.dumps(self.compiled.definitions)
        )

    def questions(self) -> "_State":
        """Return a fresh state. To be used as a context manager, under the lock."""
        return _State(self._handle, self.names)

    def delete(self) -> None:
        """Give the engine's memory back. Whoever waits for the lock sees `deleted` and takes a fresh one."""
        self.deleted = True
        durable.delete_ruleset(self._handle)


class _State(Questions):
    """A state of the engine for one verdict. After a fault it is left alone: deleting it might end the process."""

    def __init__(self, handle: int, names: frozenset[str]) -> None:
        self._handle = handle
        self._names = names
        self._state = 0
        self._numbers = count()

    def __enter__(self) -> "_State":
        """Assert the sentinel: exactly its own rule has to fire."""
        code, self._state = durable.assert_fact(
            self._handle, f'{{"id":"s","sid":"1","k":"{SENTINEL}"}}'
        )
        if code != 0 or list(self.fired()) != [(SENTINEL, "s")]:
            raise GateUnjudgeable("The rule engine did not start, so this gate stays closed.")
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Take the state away, if all went well."""
        if kind is None:
            durable.delete_state(self._handle, "1")

    def tell(self, identity: str, key: str, properties: Mapping[str, Number]) -> None:
        """Assert one fact."""
        told = json.dumps({"id": identity, "sid": "1", "k": key, **properties})
        code, _ = durable.assert_fact(self._handle, told)
        if code not in {0, 1}:
            raise GateUnjudgeable("The rule engine refused a fact, so this gate stays closed.")

    def fired(self) -> Iterator[tuple[str, str]]:
        """Yield (rule, fact) for all that fired since the last call."""
        started = durable.start_action_for_state(self._handle, self._state)
        message = started[1] if started else None
        while message:
            found = _FIRED.match(message)
            if found is None or found[1] not in self._names:
                raise GateUnjudgeable(
                    "The rule engine gave an unknown answer, so this gate stays closed."
                )
            yield found[1], found[2]
            message = durable.complete_and_start_action(self._handle, self._state)


_lock = threading.Lock()
_rulesets: OrderedDict[tuple[str, str], Ruleset] = OrderedDict()


def _ruleset(rulebook: Rulebook, gate: Gate) -> Ruleset:
    key = (rulebook.sha256, gate.id)
    with _lock:
        found = _rulesets.get(key)
        if found is None:
            found = _rulesets[key] = Ruleset(gate)
        _rulesets.move_to_end(key)
        old = _rulesets.popitem(last=False)[1] if len(_rulesets) > _KEPT else None
    if old is not None:
        with old.lock:
            old.delete()
    return found


def _forget(rulebook: Rulebook, gate: Gate) -> None:
    """Never ask this ruleset again. Its memory stays taken: deleting what failed might end the process."""
    with _lock:
        _rulesets.pop((rulebook.sha256, gate.id), None)
