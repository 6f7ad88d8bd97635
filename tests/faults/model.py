"""What a crossing should be, in the fewest words: the state machine holds the program against it.

It follows the shipped rules, with the one difference that the lead may still change the plan while it is signed.
"""

from dataclasses import dataclass, field

FIRST, REVIEW, BACKLOG, PLAN = "intake_form", "opportunity_review", "ranked_backlog", "plan_work"
FINAL, KICK_OFF, PARKED = "final_approval", "kick_off", "on_hold"
DECLINED, WITHDRAWN = "declined_idea", "taken_back"
EXECUTION, WRAP_UP, MEASURING, LOOK_BACK = "in_execution", "wrap_up", "measuring", "look_back"
PARKABLE = (REVIEW, BACKLOG, PLAN, FINAL, KICK_OFF, EXECUTION)
LIMIT = 50_000

# transition: from where, to where, who may
MOVES: dict[str, tuple[tuple[str, ...], str, tuple[str, ...]]] = {
    "submit_idea": ((FIRST,), REVIEW, ("Sue",)),
    "return_idea": ((REVIEW,), FIRST, ("Rex",)),
    "decline_idea": ((REVIEW, BACKLOG), DECLINED, ("Rex",)),
    "start_planning": ((BACKLOG,), PLAN, ("Rex", "Oli", "Lea")),
    "ask_approval": ((PLAN,), FINAL, ("Lea",)),
    "return_plan": ((FINAL,), PLAN, ("Mia", "Vik")),
    "withdraw_idea": ((FIRST, REVIEW, BACKLOG), WITHDRAWN, ("Sue",)),
    "park_project": (PARKABLE, PARKED, ("Oli", "Mia")),
    "resume_project": ((PARKED,), "previous", ("Oli", "Mia")),
    "begin_work": ((KICK_OFF,), EXECUTION, ("Lea",)),
    "finish_work": ((EXECUTION,), WRAP_UP, ("Lea",)),
    "begin_measuring": ((WRAP_UP,), MEASURING, ("Lea",)),
    "begin_look_back": ((MEASURING,), LOOK_BACK, ("Lea",)),
    "close_project": ((LOOK_BACK,), "all_done", ("Lea",)),
    "stop_project": ((EXECUTION,), LOOK_BACK, ("Mia", "Oli")),
}
# Moves that wait until what is asked for in the stage was written down there.
AFTER_WORK = ("begin_work", "finish_work", "begin_measuring", "begin_look_back", "close_project")
COUNTS = ("approved", "approved_with_conditions", "objected")
ROUNDS = {REVIEW: "review_done", FINAL: "executive_signoff"}
SIGNERS = {REVIEW: ("Rex",), FINAL: ("Mia", "Vik")}
# The move that a decision takes, by the stage in which it is taken.
TAKES = {
    ("returned", REVIEW): "return_idea",
    ("returned", FINAL): "return_plan",
    ("declined", REVIEW): "decline_idea",
    ("held", REVIEW): "park_project",
    ("held", FINAL): "park_project",
}


@dataclass
class Model:
    """Where one project should be, and every round of sign-off it should have had: (gate, how it ended)."""

    stage: str
    judged: bool = False
    planned: bool = False
    confirmed: bool = True
    waived: bool = False
    budget: int = 90_000
    parked_from: str = ""
    worked: frozenset[str] = frozenset()
    conditions: list[str] = field(default_factory=list)
    said: dict[str, str] = field(default_factory=dict)
    # Every word that was not taken back, as (gate, name, decision); and whose condition is which.
    words: list[tuple[str, str, str]] = field(default_factory=list)
    wanted: dict[str, int] = field(default_factory=dict)
    rounds: list[tuple[str, str | None]] = field(default_factory=list)

    def may(self, name: str, transition: str) -> str:
        """Return what becomes of asking for a move: conflict, forbidden, closed or moved."""
        sources, _target, who = MOVES[transition]
        if self.stage not in sources:
            return "conflict"
        if name not in who or (name == "Lea" and not self.judged):
            return "forbidden"
        return "moved" if self._open(transition) else "closed"

    def _open(self, transition: str) -> bool:
        if transition == "start_planning":
            return self.judged
        if transition in AFTER_WORK:
            return self.stage in self.worked
        if transition == "ask_approval":
            return self.planned and (self.confirmed or self.waived)
        return True

    def move(self, transition: str, ended: str = "left") -> None:
        """Take a move that may be taken."""
        target = MOVES[transition][1] if transition in MOVES else transition
        self._end_round(ended)
        before, self.stage = self.stage, self.parked_from if target == "previous" else target
        self.parked_from = before if target == PARKED else ""
        self._begin_round()

    def may_sign(self, name: str, decision: str) -> str:
        """Return what becomes of a decision: forbidden, conflict, invalid or signed."""
        if name not in SIGNERS[self.stage]:
            return "forbidden"
        if name in self.said:
            return "conflict"
        if decision in COUNTS:
            return "signed"
        transition = TAKES.get((decision, self.stage), "")
        return "signed" if transition and name in MOVES[transition][2] else "invalid"

    def sign(self, name: str, decision: str) -> None:
        """Take a decision that may be taken, and what follows from it."""
        self.words.append((ROUNDS[self.stage], name, decision))
        if decision not in COUNTS:
            self.move(TAKES[(decision, self.stage)])
            return
        self.said[name] = decision
        if decision == "approved_with_conditions":
            self.wanted[name] = len(self.conditions)
            self.conditions.append("open")
        if self._passes():
            self.move({REVIEW: BACKLOG, FINAL: KICK_OFF}[self.stage], "satisfied")

    def take_back(self, name: str) -> None:
        """Take back what somebody said in the round that is open; what they said before counts again."""
        del self.said[name]
        place = max(place for place, word in enumerate(self.words) if word[1] == name)
        del self.words[place]
        if name in self.wanted:
            self.conditions[self.wanted.pop(name)] = "dropped"
        if self._passes():
            self.move({REVIEW: BACKLOG, FINAL: KICK_OFF}[self.stage], "satisfied")

    def _passes(self) -> bool:
        here = ROUNDS[self.stage]
        last = {name: decision for gate, name, decision in self.words if gate == here}
        if "objected" in last.values():
            return False
        approved = [name for name, decision in self.said.items() if decision != "objected"]
        if self.stage == REVIEW:
            return self.judged and "Rex" in approved
        return len(approved) == 2 if self.budget > LIMIT else bool(approved)

    def change(self) -> None:
        """Change what is to be signed: the round lapses, and a new one begins."""
        if self.stage in ROUNDS:
            self._end_round("voided")
            self._begin_round()

    def _end_round(self, how: str) -> None:
        if self.stage in ROUNDS:
            self.rounds[-1] = (self.rounds[-1][0], how)
        self.said, self.wanted = {}, {}

    def _begin_round(self) -> None:
        if self.stage in ROUNDS:
            self.rounds.append((ROUNDS[self.stage], None))
