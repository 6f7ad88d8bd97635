"""Say what the numbers mean, and not more: pure.

One project, a few readings: they can be consistent with an effect, show no visible change, or not tell. They never prove.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from okrgate.web.filters import show_date, show_number

BANDS = {
    "success": "Success",
    "partial": "Partial success",
    "none": "No impact",
    "negative": "Negative impact",
}
CANNOT_TELL = "cannot tell"
NO_CHANGE = "no visible change"
CONTRIBUTION = "consistent with a contribution"
HARM = "consistent with a setback"
LEVELS = {"company": "Company", "region": "Region", "domain": "Domain", "team": "Team"}
TOP = ("company", "region")
JUDGEMENTS = (("success", "Success"), ("partial", "Partial success"), ("failure", "Failure"))
REPEATS = (
    ("more", "Do more like it"),
    ("same", "Do it the same way"),
    ("never", "Never do it again"),
)
_JUDGED = {
    "success": "a success",
    "partial": "a partial success",
    "failure": "a failure",
}


@dataclass(frozen=True)
class Reading:
    """One checkpoint: `band` is None until it is read. `success` is where success began in the bands it was judged by."""

    name: str
    due: date | None
    value: Decimal | None
    band: str | None
    success: Decimal | None = None


@dataclass(frozen=True)
class Promise:
    """What a metric was to become, and what it became. Direction is `up` or `down`.

    `changes` say when and why its bands changed after they were agreed. `unit` is None where the bands count a change.
    """

    metric: str
    direction: str
    baseline: Decimal | None = None
    success: Decimal | None = None
    partial: Decimal | None = None
    negative: Decimal | None = None
    readings: tuple[Reading, ...] = ()
    changes: tuple[str, ...] = ()
    unit: str | None = None

    @property
    def drawn(self) -> bool:
        """Tell whether the bands can be drawn with the last reading on them: all there, and the ones it was judged by."""
        whole = None not in (self.success, self.partial, self.negative, self.unit)
        return whole and (self.last is None or self.last.success in (None, self.success))

    @property
    def last(self) -> Reading | None:
        """Return the latest checkpoint that was read."""
        read = [reading for reading in self.readings if reading.band is not None]
        return read[-1] if read else None


@dataclass(frozen=True)
class KeyResult:
    """A key result the project contributes to. `progress` is a share (0.4 is 40 %), None when not known."""

    name: str
    level: str
    period: str = ""
    progress: Decimal | None = None
    url: str = ""


@dataclass(frozen=True)
class Said:
    """What one stakeholder said."""

    name: str
    rating: int
    went_well: str
    went_badly: str
    again: bool | None
    second_hand: bool


@dataclass(frozen=True)
class Voices:
    """How those asked rated the project, 1 to 5."""

    asked: int = 0
    answered: int = 0
    second_hand: int = 0
    rating: float | None = None
    said: tuple[Said, ...] = ()


@dataclass(frozen=True)
class LookBack:
    """A project as it is seen afterwards. Days are days; effort is days of work."""

    promises: tuple[Promise, ...] = ()
    key_results: tuple[KeyResult, ...] = ()
    voices: Voices = field(default_factory=Voices)
    planned_effort: Decimal | None = None
    actual_effort: Decimal | None = None
    days_before: Decimal | None = None
    days_in: Decimal | None = None


def effect(promises: Sequence[Promise]) -> str:
    """Say in fixed words what the latest readings tell of an effect on the key results."""
    bands = {promise.last.band for promise in promises if promise.last is not None}
    good = bool(bands & {"success", "partial"})
    if not bands or (good and "negative" in bands):
        return CANNOT_TELL
    if good:
        return CONTRIBUTION
    return HARM if "negative" in bands else NO_CHANGE


def band_name(band: str | None) -> str:
    """Return a band as people call it."""
    return BANDS.get(band or "", "No data")


def result_line(promise: Promise) -> str:
    """Say what became of one metric, in one line."""
    last = promise.last
    if last is None:
        return f"{promise.metric}: no data yet."
    when = f" on {show_date(last.due)}" if last.due else ""
    before = f", baseline {show_number(promise.baseline)}" if promise.baseline is not None else ""
    aim = f", promised {goal(promise, last)}" if promise.success is not None else ""
    since = " The bands were changed after they were agreed." if promise.changes else ""
    return (
        f"{promise.metric}: {show_number(last.value)}{when}{before}{aim}: "
        f"{band_name(last.band)}.{since}"
    )


def goal(promise: Promise, reading: Reading | None = None) -> str:
    """Say from where on a metric counts as a success; of a reading, by the bands it was judged by."""
    side = "or less" if promise.direction == "down" else "or more"
    judged = reading.success if reading is not None else None
    return f"{show_number(promise.success if judged is None else judged)} {side}"


def key_result_line(key_result: KeyResult, word: str) -> str:
    """Say what the project did to one key result: the fixed words, and how far the key result is."""
    level = LEVELS.get(key_result.level, key_result.level)
    period = f" {key_result.period}" if key_result.period else ""
    stands = "" if key_result.progress is None else f" It stands at {percent(key_result.progress)}."
    return f"{level}{period}, {key_result.name}: {word}.{stands}"


def percent(share: Decimal) -> str:
    """Write a share as a whole percentage."""
    return f"{show_number(round(share * 100))}\u202f%"


def proposal(title: str, looked: LookBack, judgement: str | None) -> str:
    """Write the first version of the summary for leadership, from data alone."""
    parts = [
        f"{title}: what became of it.",
        "\n".join(["What was promised, and what was read:", *_bullets(looked.promises)]),
        _effort(looked),
        _voices(looked.voices),
        f"The retrospective judged it {_JUDGED[judgement]}." if judgement in _JUDGED else "",
        _key_results(looked),
    ]
    return "\n\n".join(part for part in parts if part)


def _bullets(promises: Sequence[Promise]) -> list[str]:
    return [f"- {result_line(promise)}" for promise in promises] or ["- No target metric was set."]


def _effort(looked: LookBack) -> str:
    if looked.actual_effort is None:
        return ""
    planned = (
        ""
        if looked.planned_effort is None
        else f" ({show_number(looked.planned_effort)} were planned)"
    )
    said = f"It took {show_number(looked.actual_effort)} days of work{planned}."
    if looked.days_before is None or looked.days_in is None:
        return said
    return (
        f"{said} {show_number(looked.days_before)} days passed before the work began, "
        f"{show_number(looked.days_in)} in it."
    )


def _voices(voices: Voices) -> str:
    if voices.rating is None:
        return ""
    return f"{voices.answered} of {voices.asked} stakeholders answered and rated it {voices.rating:.1f} of 5."


def _key_results(looked: LookBack) -> str:
    top = [one for one in looked.key_results if one.level in TOP]
    if not top:
        return "It is not linked to a key result of the company or of a region."
    word = effect(looked.promises)
    lines = [f"- {key_result_line(one, word)}" for one in top]
    caution = (
        "" if word == CANNOT_TELL else " The readings do not prove that the project was the cause."
    )
    return "\n".join([f"Effect on the top key results:{caution}", *lines])
