"""The language of gates: one YAML text in, one frozen Rulebook out, or everything that is wrong with it."""

import hashlib
from typing import Any

from okrgate.gates.model import Rulebook
from okrgate.gates.problems import Problem, RulebookError
from okrgate.gates.reading import Reader
from okrgate.gates.reading_conditions import ConditionReader, Names
from okrgate.gates.reading_gates import read_gates, read_invariants, warn_unused
from okrgate.gates.reading_names import (
    check_role_facts,
    read_decline_reasons,
    read_params,
    read_questions,
    read_roles,
    read_ruleset,
    read_signing,
    vocabulary_of,
)
from okrgate.gates.reading_process import check_ways, read_stages, read_transitions
from okrgate.gates.reading_tests import ExampleReader, read_tests
from okrgate.gates.tree import Node, entries, read_tree

__all__ = ["Problem", "Rulebook", "RulebookError", "load_rulebook", "read_rulebook"]

LANGUAGE = 1
_REQUIRED = ("okrgate", "ruleset", "roles", "stages", "transitions", "gates")
_OPTIONAL = (
    "vocabulary", "params", "signing", "facts", "collections", "questions", "decline_reasons", "invariants",
    "fixtures", "tests",
)  # fmt: skip


def load_rulebook(text: str, *, name: str = "rulebook") -> Rulebook:
    """Return the rulebook that a text says. Raises RulebookError with all its problems, warnings included.

    `name` is what a rulebook without an id is called. Embedded tests are read here, not run.
    """
    rulebook, problems = read_rulebook(text, name=name)
    if rulebook is None:
        raise RulebookError(problems)
    return rulebook


def read_rulebook(
    text: str, *, name: str = "rulebook"
) -> tuple[Rulebook | None, tuple[Problem, ...]]:
    """Return the rulebook (None if the text has errors) and every error and warning, in the order of the file."""
    reader = Reader()
    try:
        tree = read_tree(text)
    except RulebookError as error:
        return None, error.problems
    parts = _read(reader, tree)
    problems = tuple(sorted(set(reader.problems)))
    if any(problem.severity == "error" for problem in problems):
        return None, problems
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Rulebook(**{**parts, "id": parts["id"] or name}, sha256=digest, text=text), problems


def _read(reader: Reader, tree: Node) -> dict[str, Any]:
    parts = reader.fields(tree, "the file", required=_REQUIRED, optional=_OPTIONAL)
    if "okrgate" in parts and (
        parts["okrgate"].value != LANGUAGE or parts["okrgate"].value is True
    ):
        reader.error(
            parts["okrgate"],
            f"this okrgate reads language version {LANGUAGE}: write okrgate: {LANGUAGE}",
        )
    vocabulary = reader.choice(
        parts.get("vocabulary"), "vocabulary", ("application", "own"), default="application"
    )
    found: dict[str, Any] = {**read_ruleset(reader, parts.get("ruleset")), "vocabulary": vocabulary}
    names = Names(
        params=read_params(reader, parts.get("params")),
        roles=read_roles(reader, parts.get("roles")),
    )
    stages = read_stages(reader, parts.get("stages"), names.roles)
    questions = read_questions(reader, parts.get("questions"), stages)
    names.facts, names.collections = vocabulary_of(reader, vocabulary == "own", parts, questions)
    names.answered_in = {f"answers.{one.id}": one.section for one in questions.values()}
    check_role_facts(reader, parts.get("roles"), names)
    never, editors_barred = read_signing(reader, parts.get("signing"), names)
    conditions = ConditionReader(reader, names)
    gates = read_gates(reader, parts.get("gates"), names, conditions)
    declared = entries(parts["gates"]) if "gates" in parts else {}
    transitions = read_transitions(reader, parts.get("transitions"), stages, names.roles, declared)
    check_ways(reader, parts.get("stages"), stages, transitions)
    warn_unused(reader, parts.get("gates"), gates, transitions)
    found |= {
        "params": names.params,
        "roles": names.roles,
        "never_sign": never,
        "editors_barred": editors_barred,
        "facts": names.facts,
        "collections": names.collections,
        "stages": stages,
        "transitions": transitions,
        "gates": gates,
        "questions": questions,
        "decline_reasons": read_decline_reasons(reader, parts.get("decline_reasons")),
        "invariants": read_invariants(
            reader, parts.get("invariants"), names.params, conditions, stages, transitions
        ),
    }
    requirements = {one.id: one for gate in gates.values() for one in gate.requirements}
    examples = ExampleReader(reader, names, requirements)
    fixtures = examples.fixtures(parts.get("fixtures"))
    found["fixtures"] = fixtures
    found["tests"] = read_tests(
        reader, parts.get("tests"), examples, fixtures, transitions, gates, names
    )
    return found
