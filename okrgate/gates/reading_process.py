"""Read stages and transitions, and see that every project can come in, through and out."""

from collections.abc import Iterable, Mapping

from okrgate.gates import ways
from okrgate.gates.model import FORWARD, Role, Stage, Transition
from okrgate.gates.reading import Reader
from okrgate.gates.tree import Node
from okrgate.gates.vocabulary import ASKS, EFFECTS, KINDS, SECTIONS

PREVIOUS = "previous"
_STAGE_KEYS = (
    "help", "initial", "terminal", "outcome", "holding", "sla_days", "remind_days", "escalate_to", "sections", "on_enter",
)  # fmt: skip
_TRANSITION_KEYS = (
    "by", "gate", "label", "kind", "asks", "reason", "auto", "voids_signoffs", "notify", "mail", "help",
)  # fmt: skip


def read_stages(reader: Reader, node: Node | None, roles: Mapping[str, Role]) -> dict[str, Stage]:
    """Return the stages of the process."""
    found = {}
    for name, key, place in reader.named(node, "stages"):
        if name == PREVIOUS:
            reader.error(key, "previous means the stage a project was held in: choose another name")
            continue
        found[name] = _stage(reader, name, place, roles)
    if node is not None:
        initial = [stage.id for stage in found.values() if stage.initial]
        if len(initial) != 1:
            said = (
                f", not {len(initial)} ({', '.join(initial)})"
                if initial
                else "; write initial: true"
            )
            reader.error(node, f"exactly one stage is the initial one{said}")
    return found


def _stage(reader: Reader, name: str, node: Node, roles: Mapping[str, Role]) -> Stage:
    parts = reader.fields(node, name, required=("label",), optional=_STAGE_KEYS)
    stage = Stage(
        id=name,
        label=reader.text(parts.get("label"), "label", default=name),
        help=reader.text(parts.get("help"), "help"),
        initial=reader.flag(parts.get("initial"), "initial"),
        terminal=reader.flag(parts.get("terminal"), "terminal"),
        outcome=reader.text(parts.get("outcome"), "outcome") or None,
        holding=reader.flag(parts.get("holding"), "holding"),
        sla_days=reader.whole(parts.get("sla_days"), "sla_days", low=1),
        remind_days=reader.whole(parts.get("remind_days"), "remind_days", low=1),
        escalate_to=reader.known(parts.get("escalate_to"), "escalate_to", "role", roles),
        sections=_sections(reader, parts.get("sections"), roles),
        on_enter=reader.known(parts.get("on_enter"), "on_enter", "effect", EFFECTS),
    )
    if stage.terminal and not stage.outcome and "outcome" not in parts:
        reader.error(node, f"{name} is an end: it needs an outcome")
    if stage.outcome and not stage.terminal:
        reader.error(
            parts["outcome"], f"{name} is not an end, so it has no outcome: write terminal: true"
        )
    if sum((stage.initial, stage.terminal, stage.holding)) > 1:
        reader.error(node, f"{name} is only one of initial, terminal and holding")
    return stage


def _sections(
    reader: Reader, node: Node | None, roles: Mapping[str, Role]
) -> dict[str, tuple[str, ...]]:
    found = {}
    for name, key, place in reader.named(node, "sections"):
        parts = reader.fields(place, name, required=("edit",))
        editors = reader.known(parts.get("edit"), "edit", "role", roles)
        if reader.is_known(key, name, "section", SECTIONS):
            found[name] = editors
    return found


def read_transitions(
    reader: Reader,
    node: Node | None,
    stages: Mapping[str, Stage],
    roles: Mapping[str, Role],
    gates: Iterable[str],
) -> dict[str, Transition]:
    """Return the moves of the process."""
    known = tuple(gates)
    return {
        name: _transition(reader, name, place, stages, roles, known)
        for name, _, place in reader.named(node, "transitions")
    }


def _transition(
    reader: Reader,
    name: str,
    node: Node,
    stages: Mapping[str, Stage],
    roles: Mapping[str, Role],
    gates: tuple[str, ...],
) -> Transition:
    parts = reader.fields(node, name, required=("from", "to"), optional=_TRANSITION_KEYS)
    gate = reader.text(parts.get("gate"), "gate") or None
    if gate is not None and not reader.is_known(parts["gate"], gate, "gate", gates):
        gate = None
    transition = Transition(
        id=name,
        label=reader.text(parts.get("label"), "label", default=name.replace("_", " ").capitalize()),
        sources=reader.known(parts.get("from"), "from", "stage", stages, single=True),
        target=_target(reader, parts.get("to"), stages),
        by=reader.known(parts.get("by"), "by", "role", roles),
        gate=gate,
        kind=reader.choice(parts.get("kind"), "kind", KINDS, default=FORWARD),
        asks=_asks(reader, parts),
        auto=reader.flag(parts.get("auto"), "auto"),
        voids_signoffs=reader.flag(parts.get("voids_signoffs"), "voids_signoffs"),
        notify=reader.known(parts.get("notify"), "notify", "role", roles),
        mail=reader.text(parts.get("mail"), "mail"),
    )
    _check_transition(reader, transition, node, parts, stages)
    return transition


def _target(reader: Reader, node: Node | None, stages: Mapping[str, Stage]) -> str:
    if node is None:
        return ""
    if not isinstance(node.value, str):
        reader.error(node, f"to has to be one stage, not {node.kind}")
        return ""
    if node.value == PREVIOUS or reader.is_known(node, node.value, "stage", stages):
        return node.value
    return ""


def _asks(reader: Reader, parts: Mapping[str, Node]) -> tuple[str, ...]:
    asks = reader.known(parts.get("asks"), "asks", "question to ask", ASKS)
    if "reason" in parts:
        if parts["reason"].value != "required":
            reader.error(parts["reason"], "reason can only be: required")
        elif "reason" not in asks:
            asks = ("reason", *asks)
    return asks


def _check_transition(
    reader: Reader,
    one: Transition,
    node: Node,
    parts: Mapping[str, Node],
    stages: Mapping[str, Stage],
) -> None:
    if isinstance(parts.get("from"), Node) and parts["from"].value == []:
        reader.error(parts["from"], f"{one.id} needs a stage to start from")
    for source, place in reader_words(parts.get("from")):
        if source in stages and stages[source].terminal:
            reader.error(place, f"{one.id} leaves {source}, which is an end")
        if source == one.target:
            reader.error(place, f"{one.id} leads from {source} to itself")
        if one.target == PREVIOUS and source in stages and not stages[source].holding:
            reader.error(
                place, f"{one.id} goes to the previous stage, but {source} does not hold projects"
            )
    if one.auto and one.gate is None and "gate" not in parts:
        reader.error(node, f"{one.id} is taken by itself: it needs a gate that opens")
    if one.auto and one.asks:
        reader.error(node, f"{one.id} is taken by itself: there is nobody to ask")
    if one.auto and one.target == PREVIOUS:
        reader.error(node, f"{one.id} is taken by itself: it needs a stage to go to")
    if (
        not one.auto
        and not one.by
        and not (isinstance(parts.get("by"), Node) and parts["by"].value)
    ):
        reader.error(node, f"nobody may take {one.id}: it needs by")


def reader_words(node: Node | None) -> list[tuple[str, Node]]:
    """Return the words of a list, or one word, without noting anything."""
    if node is None:
        return []
    parts = node.value if isinstance(node.value, list) else [node]
    return [(part.value, part) for part in parts if isinstance(part.value, str)]


def moves(stages: Mapping[str, Stage], transitions: Iterable[Transition]) -> dict[str, list[str]]:
    """Return where each stage leads; `previous` leads back to every stage its holding stage is entered from."""
    found: dict[str, list[str]] = {stage: [] for stage in stages}
    every = list(transitions)
    for one in every:
        for source in one.sources:
            for target in _targets(one, source, every):
                if target in stages and target not in found.setdefault(source, []):
                    found[source].append(target)
    return found


def _targets(one: Transition, source: str, every: list[Transition]) -> tuple[str, ...]:
    if one.target != PREVIOUS:
        return (one.target,)
    return tuple(
        {stage: None for other in every if other.target == source for stage in other.sources}
    )


def check_ways(
    reader: Reader,
    node: Node | None,
    stages: Mapping[str, Stage],
    transitions: Mapping[str, Transition],
) -> None:
    """Note stages nobody reaches, stages nobody leaves, automatic circles and ways that meet no gate."""
    initial = next((stage.id for stage in stages.values() if stage.initial), None)
    unclear = any(not one.target or not one.sources for one in transitions.values())
    if node is None or initial is None or unclear:
        return
    leads_to = moves(stages, transitions.values())
    back = ways.backward(leads_to)
    places = {name: key for name, key, _ in Reader().named(node, "stages")}
    ends = [stage.id for stage in stages.values() if stage.terminal]
    reached = {initial, *ways.onward(leads_to, initial)}
    leads_out = set(ends).union(*(ways.onward(back, end) for end in ends))
    if not ends:
        reader.error(node, "no stage is an end: write terminal: true and an outcome")
    for stage in stages.values():
        if stage.id not in reached:
            reader.error(places[stage.id], f"the stage {stage.id} is never reached")
        if not stage.terminal and not leads_to[stage.id]:
            reader.error(
                places[stage.id], f"the stage {stage.id} is a dead end: no transition leaves it"
            )
        elif ends and stage.id not in leads_out:
            reader.error(places[stage.id], f"from the stage {stage.id} no end can be reached")
    _check_automatic(reader, stages, transitions, places)
    _warn_gateless(reader, node, stages, transitions, initial)


def _check_automatic(
    reader: Reader,
    stages: Mapping[str, Stage],
    transitions: Mapping[str, Transition],
    places: Mapping[str, Node],
) -> None:
    for circle in ways.circles(moves(stages, (one for one in transitions.values() if one.auto))):
        reader.error(
            places[circle[0]],
            f"automatic transitions go round in a circle: {', '.join(circle)}",
        )


def _warn_gateless(
    reader: Reader,
    node: Node,
    stages: Mapping[str, Stage],
    transitions: Mapping[str, Transition],
    initial: str,
) -> None:
    free = (
        one
        for one in transitions.values()
        if one.gate is None and one.kind not in {"decline", "withdraw"}
    )
    ungated = moves(stages, free)
    for stage in stages.values():
        if not stage.terminal or stage.id == initial:
            continue
        way = ways.shortest(ungated, initial, stage.id)
        if way:
            reader.warn(node, f"a way to the end meets no gate: {' → '.join(way)}")
