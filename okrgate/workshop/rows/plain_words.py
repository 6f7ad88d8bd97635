"""What the check found, in the words of people instead of those of the file."""

import re
from collections.abc import Iterable
from dataclasses import replace

from okrgate.gates.problems import Problem
from okrgate.gates.reading_conditions import Names
from okrgate.workshop.rows.conditions_words import names_of
from okrgate.workshop.rows.gate_messages import filled
from okrgate.workshop.rows.process_rows import Process, group, listed, text

_WORD = re.compile(r"(?<![\w.$“-])[a-z][a-z0-9]*(?:[._-][a-z0-9]+)+(?![\w-])", re.ASCII)
_THIS = "this requirement"


class PlainWords:
    """Puts labels and messages in the place of ids. An id that could be any English word stays."""

    def __init__(self, process: Process) -> None:
        """Learn what everything in a draft is called."""
        self._called: dict[str, str] = {}
        names = names_of(process.whole)
        self._learn_facts(names)
        for kind in ("stage", "move", "gate", "role"):
            self._called |= {name: f"“{label}”" for name, label in process.choices(kind)}
        for _gate, _place, said in process.requirements():
            message = filled(text(said.get("message")), names)
            if message:
                self._called[text(said.get("id"))] = f"“{message}”"
        for promise in map(group, listed(process.whole.get("invariants"))):
            label = filled(text(promise.get("label")), names)
            if label:
                self._called[text(promise.get("id"))] = f"“{label}”"

    def _learn_facts(self, names: Names) -> None:
        for fact in names.facts.values():
            if fact.label:
                self._called[fact.name] = f"“{fact.label}”"

    def of(self, found: Iterable[Problem], own: str = "") -> list[Problem]:
        """Return what was found in plain words; `own` is the id of the requirement it is shown beside."""
        return [replace(one, sentence=self.said(one.sentence, own)) for one in found]

    def said(self, sentence: str, own: str = "") -> str:
        """Return one sentence in plain words. What nobody knows is left as it was written."""
        if sentence.startswith("unknown "):
            return sentence
        if own:
            sentence = re.sub(rf"(?<![\w-]){re.escape(own)}(?![\w-])", _THIS, sentence)
        return _WORD.sub(lambda found: self._called.get(found[0], found[0]), sentence)
