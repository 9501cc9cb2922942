"""From the figures of many schedules to a line each, a summary, and docs/reliability.md."""

from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

from tests.support.faults.fault_table import FAULTS

Document = dict[str, Any]

ERRORS = ("missing", "invented", "wrong_time", "out_of_order", "doubled_for_no_reason")

HEAD = """# What was injected, and what came through

Made by the fault harness (`tests/faults`); do not edit. To repeat it, on a machine with Mosquitto:

    {command} --out results.json
    python -m tests.faults --report results.json > docs/reliability.md

A schedule is a seed: it draws a house that switches at random, and the faults that are injected into a bridge between
the simulated cloud and a real Mosquitto, one or two at a time. The harness knows every true transition of the house,
and compares with it what a subscriber received. Waits are shortened (silence {silence_s:g} s, keepalive
{keepalive_s} s, retries within 0.4 s), the house runs as fast as it is read, and its clock is the bridge's. Every other
part is the real one.
"""

NOTES = """
- *Missing*: a transition of which no event came. *Invented*: an event that reports no transition, or one that had been
  reported under another id. *Wrong time*: further from the truth than the source allows: a frame is cut off to whole
  seconds and comes within half a second, the timeline is exact but for its clock's offset, `reconnect` is at the first
  frame after the truth.
- *Doubled*: one event, one id, twice. After a `kill -9` (of the bridge or of the broker) because what was published was
  not yet known to be acknowledged; after a lost connection to the broker because its acknowledgement was lost: QoS 1
  cannot tell that from a lost message.
- Between polls the order of edges is known from the timeline, and a poll's own edge is right within two polls: a polled
  frame does not say when it was measured, and which of two edges it has shown cannot always be known.
- Never drawn together: a full disk, and the end of the bridge. What cannot be written down is forgotten with the
  process, and told again under another id; the log says so as soon as the disk is full.
- *Recovery*: from the end of the fault until an event that happened after it was heard. The bridge's start is in it.
- A row counts the whole schedules in which the fault was injected; most of them held others too.
"""


# --- while it runs


def line(document: Document) -> str:
    """Return one schedule in a line, with what is wrong below."""
    comparison = document["comparison"]
    mark = "ok  " if document["good"] else "BAD "
    told = f"{comparison['delivered']}/{comparison['transitions']}"
    head = f"{mark} {document['seed']:>5} {document['mode']:<6} {told:>9} {document['took_s']:>5.1f} s "
    return "\n".join([head + " ".join(document["faults"]), *(f"       {wrong}" for wrong in _errors(document))])


def _errors(document: Document) -> list[str]:
    comparison = document["comparison"]
    told = [
        f"{name}: {len(comparison[name])}: {'; '.join(comparison[name][:3])}" for name in ERRORS if comparison[name]
    ]
    if document["wrong_retained"]:
        told.append(f"retained: {'; '.join(document['wrong_retained'][:3])}")
    if document["crashes"]:
        told.append(f"crashes: exit codes {document['crashes']}")
    late = [name for name, took in document["recoveries_s"] if took is None]
    if late:
        told.append(f"no recovery from {', '.join(late)}")
    return told + ([f"failure: {document['failure']}"] if document["failure"] else [])


# --- at the end


def summarise(documents: Sequence[Document]) -> str:
    """Return the totals as a Markdown table."""
    comparisons = [document["comparison"] for document in documents]
    figures = {
        "schedules": len(documents),
        "of them by polling": sum(document["mode"] == "poll" for document in documents),
        "without any fault of the bridge": sum(document["good"] for document in documents),
        "true transitions": sum(comparison["transitions"] for comparison in comparisons),
        "delivered": sum(comparison["delivered"] for comparison in comparisons),
        **{name.replace("_", " "): sum(len(comparison[name]) for comparison in comparisons) for name in ERRORS},
        "doubled after a kill -9, same id": sum(comparison["doubled_after_kill"] for comparison in comparisons),
        "doubled after a lost acknowledgement, same id": sum(
            comparison["doubled_after_cut"] for comparison in comparisons
        ),
        "schedules with a wrong retained value": sum(bool(document["wrong_retained"]) for document in documents),
        "bridges that ended without being asked": sum(len(document["crashes"]) for document in documents),
        "schedules that the harness could not run": sum(document["failure"] is not None for document in documents),
        "bridges started": sum(document["starts"] for document in documents),
        "faults": sum(len(document["faults"]) for document in documents),
        "recovery, median / longest": _spread(_recoveries(documents), "s"),
        "memory at the end, median / most": _spread([last for _, last in _memory_mb(documents)], "MB"),
        "memory gained, median / most": _spread([last - first for first, last in _memory_mb(documents)], "MB"),
    }
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {figure} |" for name, figure in figures.items())])


def _recoveries(documents: Iterable[Document], name: str | None = None) -> list[float]:
    return [
        took
        for document in documents
        for names, took in document["recoveries_s"]
        if took is not None and (name is None or name in names.split("+"))
    ]


def _memory_mb(documents: Iterable[Document]) -> list[tuple[float, float]]:
    return [(first, last) for document in documents for first, last in document["memory_mb"]]


def _spread(figures: Sequence[float], unit: str) -> str:
    return f"{median(figures):.1f} / {max(figures):.1f} {unit}" if figures else "-"


# --- the page


def write(results: dict[str, Any]) -> str:
    """Return docs/reliability.md."""
    documents = results["schedules"]
    head = HEAD.format(command=results["command"], silence_s=results["silence_s"], keepalive_s=results["keepalive_s"])
    head += f"\n{results['note']}\n" if "note" in results else ""  # whoever ran it may say how
    parts = [head, "## All in all\n", summarise(documents), "\n## Fault by fault\n", _matrix(documents), NOTES]
    return "\n".join([*parts, "## How exact the times are\n", _exactness(documents), *_failures(documents)]) + "\n"


def _matrix(documents: Sequence[Document]) -> str:
    columns = (
        "where",
        "what",
        "times",
        "schedules",
        "transitions",
        "missing",
        "invented",
        "wrong time",
        "out of order",
        "doubled",
        "recovery median / longest",
    )
    rows = [_row(name, [d for d in documents if name in d["faults"]]) for name in FAULTS]
    return "\n".join([_cells(columns), _cells("---" for _ in columns), *(_cells(row) for row in rows)])


def _row(name: str, documents: Sequence[Document]) -> list[object]:
    comparisons = [document["comparison"] for document in documents]
    doubled = sum(comparison["doubled_after_kill"] + comparison["doubled_after_cut"] for comparison in comparisons)
    return [
        FAULTS[name].where,
        FAULTS[name].what,
        _times(name, documents),
        len(documents),
        sum(comparison["transitions"] for comparison in comparisons),
        *(sum(len(comparison[wrong]) for comparison in comparisons) for wrong in ERRORS[:4]),
        doubled + sum(len(comparison["doubled_for_no_reason"]) for comparison in comparisons),
        _spread(_recoveries(documents, name), "s"),
    ]


def _times(name: str, documents: Sequence[Document]) -> str:
    times = sum(document["faults"].count(name) for document in documents)
    if not name.startswith("crash_"):
        return str(times)
    reached = sum(document["reached"].count(name) for document in documents)
    return f"{times}, {reached} of them at that moment, else at any moment"


def _exactness(documents: Sequence[Document]) -> str:
    rows = []
    for source in ("frame", "timeline", "reconnect"):
        of_source = [
            d["comparison"] for d in documents if source in d["comparison"]["sources"] and d["mode"] == "stream"
        ]
        count = sum(comparison["sources"][source] for comparison in of_source)
        errors = [comparison["errors_s"][source] for comparison in of_source]
        rows.append(_cells([f"`{source}`", count, _spread(errors, "s")]))
    head = ["source (streams only)", "events", "largest error of a schedule, median / most"]
    return "\n".join([_cells(head), _cells("---" for _ in head), *rows])


def _failures(documents: Sequence[Document]) -> list[str]:
    bad = [document for document in documents if not document["good"]]
    if not bad:
        return []
    return ["\n## What went wrong\n\n```", *(line(document) for document in bad), "```"]


def _cells(cells: Iterable[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"
