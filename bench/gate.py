"""What one judgement of a gate costs, with all cross-checks, and whether it stays so. Reports; never fails a build.

    python bench/gate.py [--judgements 60000]

Shapes: the first gate of `circle.yaml`, ten criteria; each judgement is the engine's, its cross-check of every single
condition, and the plain reference's beside it. The facts differ each time. `cpu` is this process's own.
"""

import argparse
import statistics
import time
from datetime import date
from pathlib import Path

from okrgate.gates.engine import judge_twice
from okrgate.gates.language import load_rulebook
from okrgate.gates.verdict import Facts

_RULES = Path(__file__).resolve().parent / "circle.yaml"
_PARTS = 6


def main() -> None:
    """Judge again and again, and say for each sixth what it took."""
    options = argparse.ArgumentParser()
    options.add_argument("--judgements", type=int, default=60_000)
    each = options.parse_args().judgements // _PARTS
    rulebook = load_rulebook(_RULES.read_text(encoding="utf-8"))
    today = date(2026, 1, 1)
    _judge(rulebook, today, range(500))
    print(f"{'judgements':>12} {'cpu p50 µs':>11} {'mean µs':>8} {'memory MiB':>11}")
    for part in range(_PARTS):
        taken = _judge(rulebook, today, range(part * each, (part + 1) * each))
        p50, mean = statistics.median(taken) * 1e6, statistics.fmean(taken) * 1e6
        print(f"{(part + 1) * each:12} {p50:11.0f} {mean:8.0f} {_memory():11.1f}")


def _judge(rulebook, today, numbers):
    taken = []
    for number in numbers:
        values = {f"answers.c{place}": number % 997 for place in range(10)}
        facts = Facts(values=values, collections={})
        began = time.process_time()
        verdict = judge_twice(rulebook, "from_idea", facts, today=today)
        taken.append(time.process_time() - began)
        if verdict.allowed != (number % 997 >= 100):
            raise SystemExit(f"{number}: {verdict.allowed}")
    return taken


def _memory() -> float:
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


if __name__ == "__main__":
    main()
