"""Drive okrgate and its peers with the same jobs over HTTP, one after the other. Reports; never fails a build.

    python bench/peers.py BENCH FOLDER okrgate floor viewflow roundup [--fresh --sizes 1000,100000 --at 1000 …]

BENCH is the folder of the benchmark: its `bench.py`, its load generator, the adapters of the other systems; ours is in
`bench/adapters`. FOLDER keeps the systems, their data, and `results/`. Options go to the benchmark as they are: see its
own description. Ends with its tables.
"""

import argparse
import importlib
import re
import sys
from pathlib import Path


def main() -> None:
    """Add our adapter to the benchmark's, and run it once for each system."""
    options = argparse.ArgumentParser(allow_abbrev=False)
    options.add_argument("bench", type=Path)
    options.add_argument("folder", type=Path)
    options.add_argument("systems", nargs="+")
    chosen, rest = options.parse_known_args()
    sys.path.insert(0, str(chosen.bench.resolve()))
    adapters = importlib.import_module("adapters")
    adapters.__path__.append(str(Path(__file__).resolve().parent / "adapters"))
    bench = importlib.import_module("bench")
    written = []
    for system in chosen.systems:
        out = chosen.folder / "results" / f"{re.sub('[^a-z0-9]+', '-', system)}.json"
        out.parent.mkdir(parents=True, exist_ok=True)
        written.append(str(out))
        run = ["--root", str(chosen.folder), "run", system, "--out", str(out), *rest]
        sys.argv = [sys.argv[0], *run]
        bench.main()
    sys.argv = [sys.argv[0], "report", *written]
    bench.main()


if __name__ == "__main__":
    main()
