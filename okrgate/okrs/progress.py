"""How far a key result has come. Formulas and cases: design page "Numbers", key results."""

from decimal import Decimal


def progress(baseline: Decimal, target: Decimal, current: Decimal | None) -> Decimal | None:
    """Return the share of the way done: (current - baseline) / (target - baseline), for both directions.

    None when there is no value yet: no data is never 0 %. Raises ValueError when baseline and target are one.
    """
    if baseline == target:
        raise ValueError("A key result needs a target that differs from its baseline.")
    return None if current is None else (current - baseline) / (target - baseline)
