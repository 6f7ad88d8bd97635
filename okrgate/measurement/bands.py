"""Which of four bands a value falls into. Source: the design's "Outcome bands".

With s = +1 where higher is better and -1 where lower is, and u = s * value: Success u >= s*S, Partial s*P <= u < s*S,
No impact s*N < u < s*P, Negative u <= s*N. The cut points must be in strict order: s*S > s*P > s*N.
"""

from decimal import Decimal

SUCCESS, PARTIAL, NONE, NEGATIVE = "success", "partial", "none", "negative"
BANDS = {
    SUCCESS: "Success",
    PARTIAL: "Partial success",
    NONE: "No impact",
    NEGATIVE: "Negative impact",
}


def in_order(success: Decimal, partial: Decimal, negative: Decimal, direction: str) -> bool:
    """Tell whether three cut points leave four bands, without gap or overlap."""
    sign = _sign(direction)
    return sign * success > sign * partial > sign * negative


def classify(
    value: Decimal, success: Decimal, partial: Decimal, negative: Decimal, direction: str
) -> str:
    """Return the band of a value. Raises ValueError when the cut points are not in order."""
    if not in_order(success, partial, negative, direction):
        raise ValueError("The cut points are not in order.")
    sign = _sign(direction)
    point = sign * value
    if point >= sign * success:
        return SUCCESS
    if point >= sign * partial:
        return PARTIAL
    return NONE if point > sign * negative else NEGATIVE


def measured(value: Decimal, baseline: Decimal | None, mode: str) -> Decimal | None:
    """Return what is compared with the cut points: the value, its change, or its change in percent of the baseline."""
    if mode == "absolute":
        return value
    if baseline is None:
        return None
    if mode == "change":
        return value - baseline
    return (value - baseline) / abs(baseline) * 100 if baseline else None


def _sign(direction: str) -> int:
    return 1 if direction == "up" else -1
