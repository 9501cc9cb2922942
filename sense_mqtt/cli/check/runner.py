"""How the checks are gone through: one finding each; what depends on something that failed is skipped."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from sense_mqtt.cli.check.checks import CHECKS, Check, Edges
from sense_mqtt.cli.process import describe
from sense_mqtt.core.plain_text import escape_hidden
from sense_mqtt.errors import SenseMqttError

Verdict = Literal["ok", "FAIL", "skip"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    name: str
    verdict: Verdict
    told: str
    exit_code: int = 0  # contract, section 5

    def __str__(self) -> str:
        told = self.told.replace("\n", "\n     ")  # a configuration may have many faults
        return f"{self.verdict:<4} {self.name}: {told}"


def examine(prepare: Callable[[], Edges], checks: Mapping[str, Check] = CHECKS) -> Iterator[Finding]:
    """Yield a finding a check, as it comes; `prepare` reads the configuration, which is the first of them."""
    try:
        edges = prepare()
    except SenseMqttError as error:
        yield _failure("config", error)
        yield from (Finding(name, "skip", "needs config") for name in checks)
        return
    yield Finding("config", "ok", f"complete; state is kept in {edges.config.state_dir}")
    passed: set[str] = set()
    for name, check in checks.items():
        finding = _examine(name, check, passed, edges)
        if finding.verdict == "ok":
            passed.add(name)
        yield finding


def _examine(name: str, check: Check, passed: set[str], edges: Edges) -> Finding:
    missing = [need for need in check.needs if need not in passed]
    if missing:
        return Finding(name, "skip", f"needs {', '.join(missing)}")
    try:
        return Finding(name, "ok", escape_hidden(check.look(edges)))
    except SenseMqttError as error:
        return _failure(name, error)


def _failure(name: str, error: SenseMqttError) -> Finding:
    return Finding(name, "FAIL", describe(error), error.exit_code)
