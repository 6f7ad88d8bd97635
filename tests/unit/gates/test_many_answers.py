"""Thousands of random answers, true and hostile: the engine and the plain judge say the same, or the gate stays closed."""

import hashlib
import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from okrgate.gates.engine import judge
from okrgate.gates.language import load_rulebook
from okrgate.gates.model import Rulebook
from okrgate.gates.reference import reference_verdict
from okrgate.gates.verdict import EngineDisagreement, Facts, GateUnjudgeable, Verdict
from tests.faults.profile import times
from tests.unit.gates.guessing import TODAY, Guesser
from tests.unit.gates.inventing import invented
from tests.unit.gates.small import SMALL

ROOT = Path(__file__).resolve().parents[3]
FILES = [
    *sorted((ROOT / "rules").glob("*.yaml")),
    *sorted((ROOT / "rules" / "examples").glob("*.yaml")),
    Path(__file__).with_name("portfolio.yaml"),
]
BOOKS = [load_rulebook(path.read_text("utf-8")) for path in FILES]
ANSWERS = times(5_000, 200_000)
AT_ONCE = 10  # answers to one gate, before it is another gate's turn
HOSTILE = 0.12
Question = tuple[Rulebook, str, Facts, bool]


def questions(seed: int, many: int) -> Iterator[Question]:
    """Yield (rulebook, transition, facts, whether something hostile is in them): the same for the same seed."""
    chance, asked = random.Random(seed), 0  # noqa: S311 no secret
    while asked < many:
        books = [*BOOKS, invented(SMALL, chance), invented(chance.choice(BOOKS), chance)]
        for rulebook in (*books, *(invented(SMALL, chance) for _ in range(6))):
            for transition in rulebook.transitions.values():
                if transition.gate is None:
                    continue
                guesser = Guesser(rulebook, rulebook.gates[transition.gate], chance)
                for _ in range(AT_ONCE):
                    spoil = chance.random() < HOSTILE
                    facts = guesser.facts()
                    yield rulebook, transition.id, guesser.hostile(facts) if spoil else facts, spoil
                asked += AT_ONCE


def answer_of(judging: Callable[..., Verdict], question: Question) -> Verdict | str:
    """Return the verdict, or the sentence with which the gate stays closed."""
    rulebook, transition, facts, _ = question
    try:
        return judging(rulebook, transition, facts, today=TODAY)
    except EngineDisagreement:
        raise
    except GateUnjudgeable as problem:
        return problem.sentence


def test_engine_and_plain_judge_give_the_same_answer_thousands_of_times() -> None:
    seen: Counter[str] = Counter()
    statuses: set[tuple[str, str]] = set()
    for number, question in enumerate(questions(1, ANSWERS)):
        engine, plain = answer_of(judge, question), answer_of(reference_verdict, question)
        assert engine == plain, (number, question)
        if isinstance(engine, str):
            # Only what does not fit is refused, and never a fault of the engine.
            assert question[3], (number, engine, question)
            assert engine.isprintable()
            assert "failed" not in engine
            assert "rule engine" not in engine
            seen["refused"] += 1
            continue
        assert engine.allowed == (not engine.blocking)
        seen["allowed" if engine.allowed else "closed"] += 1
        if question[0] in BOOKS:
            statuses |= {(one.id, one.status) for one in engine.findings}

    total = sum(seen.values())
    assert total >= ANSWERS
    # The questions ask something: gates open and close, and every requirement is met and missed.
    assert min(seen.values()) > total / 20, seen
    wanted = {
        (one.id, status)
        for rulebook in BOOKS
        for gate in rulebook.gates.values()
        for one in gate.requirements
        for status in ("met", "missing", *(["na"] if one.when else []))
    }
    assert wanted - statuses == set()


def digest_of_verdicts(seed: int, many: int) -> str:
    """Return a digest of many verdicts, every word of them."""
    found = hashlib.sha256()
    for question in questions(seed, many):
        answer = answer_of(judge, question)
        said = answer if isinstance(answer, str) else json.dumps(answer.to_json(), sort_keys=True)
        found.update(said.encode())
    return found.hexdigest()


def test_the_same_facts_get_the_same_verdict_in_another_process() -> None:
    many = times(500, 5_000)
    code = f"from tests.unit.gates.test_many_answers import *; print(digest_of_verdicts(2, {many}))"
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Pacific/Apia", "LC_ALL": "C"}

    told = subprocess.run(  # noqa: S603 our own code, no shell
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=environment,
        timeout=600,
    )

    assert told.stdout.strip() == digest_of_verdicts(2, many)
