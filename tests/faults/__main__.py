"""Run many schedules, or write the page about them.

python -m tests.faults --seeds 0-999 --jobs 4 --out results.json
python -m tests.faults --seeds 17 --faults bridge_killed,broker_killed --keep FOLDER
python -m tests.faults --report results.json > docs/reliability.md
"""

import argparse
import json
import multiprocessing
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from tests.support.faults import report
from tests.support.faults.fault_table import NAMES
from tests.support.faults.schedule import Result, run_seed
from tests.support.faults.world import KEEPALIVE_S, SILENCE_S

SCHEDULES_A_POOL = 100  # then fresh processes: what a run leaves behind cannot pile up


def main() -> int:
    """Return 0 where nothing was lost, invented or wrong."""
    options = _parser().parse_args()
    if options.report:
        print(report.write(json.loads(options.report.read_text())), end="")
        return 0
    documents = [_tell(result) for result in _run_all(options)]
    documents.sort(key=lambda document: document["seed"])
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(_results(options, documents), indent=1) + "\n")
    print(report.summarise(documents))
    return 0 if all(document["good"] for document in documents) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description="The bridge with injected faults.")
    parser.add_argument("--seeds", default="0-9", help="such as 0-999 or 3,17,20-29")
    parser.add_argument("--jobs", type=int, default=2, help="schedules at once")
    parser.add_argument("--out", type=Path, help="write all figures there, as JSON")
    parser.add_argument("--faults", default=",".join(NAMES), help="which to choose from")
    parser.add_argument("--mode", choices=("stream", "poll"), help="else drawn from the seed")
    parser.add_argument("--keep", type=Path, help="keep logs and journals there, a folder a seed")
    parser.add_argument("--report", type=Path, help="write docs/reliability.md from such figures, and run nothing")
    return parser


def _results(options: argparse.Namespace, documents: list[dict[str, Any]]) -> dict[str, Any]:
    command = f"python -m tests.faults --seeds {options.seeds} --jobs {options.jobs}"
    return {"command": command, "silence_s": SILENCE_S, "keepalive_s": KEEPALIVE_S, "schedules": documents}


def _run_all(options: argparse.Namespace) -> Iterator[Result]:
    names = tuple(options.faults.split(","))
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        sys.exit(f"--faults: there is no {', '.join(unknown)}; there are {', '.join(NAMES)}")
    context, keep = multiprocessing.get_context("spawn"), options.keep.resolve() if options.keep else None
    seeds = list(_seeds(options.seeds))
    for first in range(0, len(seeds), SCHEDULES_A_POOL):
        with ProcessPoolExecutor(options.jobs, context) as pool:
            some = seeds[first : first + SCHEDULES_A_POOL]
            work = [pool.submit(run_seed, seed, names, options.mode, keep) for seed in some]
            for done in as_completed(work):
                yield done.result()


def _seeds(told: str) -> Iterable[int]:
    for part in told.split(","):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def _tell(result: Result) -> dict[str, Any]:
    document = result.document()
    print(report.line(document), flush=True)
    return document


if __name__ == "__main__":
    sys.exit(main())
