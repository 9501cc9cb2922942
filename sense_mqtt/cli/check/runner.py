"""Run the checks: one result each; a check that needs a failed one is skipped."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from sense_mqtt.cli.check.checks import CHECKS, Check, CheckContext
from sense_mqtt.cli.process import describe_error
from sense_mqtt.config import Config
from sense_mqtt.core.plain_text import escape_hidden
from sense_mqtt.errors import SenseMqttError

CheckStatus = Literal["ok", "FAIL", "skip"]


class CheckResult(Struct, frozen=True):
    """The result of one check."""

    name: str
    status: CheckStatus
    text: str
    exit_code: int = 0  # contract, section 5

    def __str__(self) -> str:
        told = self.text.replace("\n", "\n     ")  # a configuration may have many faults
        return f"{self.status:<4} {self.name}: {told}"


def run_checks(
    prepare: Callable[[], Sequence[CheckContext]], source: str, checks: Mapping[str, Check] = CHECKS
) -> Iterator[CheckResult]:
    """Yield a finding a check, as it comes; `prepare` reads the configuration, the first of them, from `source`.

    It returns one context for each account; what is the same for all accounts is tested once, last.
    """
    try:
        contexts = prepare()
    except SenseMqttError as error:
        yield _failure("config", error)
        yield from (CheckResult(name, "skip", "needs config") for name in checks)
        return
    yield CheckResult("config", "ok", f"read from {source}; {_describe_state(contexts)}")
    for context in contexts:
        own = {name: check for name, check in checks.items() if check.is_of_account}
        yield from _run_each(own, context, f" of account {context.account}" if context.account else "")
    for context in contexts[:1]:
        yield from _run_each({name: check for name, check in checks.items() if not check.is_of_account}, context, "")


def _describe_state(contexts: Sequence[CheckContext]) -> str:
    kept = ", ".join(str(context.config.state_dir) for context in contexts)
    lacking = [context.account for context in contexts if not _has_credentials(context.config)]
    names = f" of account {', '.join(lacking)}" if any(lacking) else ""
    without = f"no e-mail and password of Sense{names}, which is right once `sense-mqtt login` was run; "
    return f"{without if lacking else ''}state is kept in {kept or 'none: no account is for this process'}"


def _has_credentials(config: Config) -> bool:
    return bool(config.sense.email and config.sense.password)


def _run_each(checks: Mapping[str, Check], context: CheckContext, whose: str) -> Iterator[CheckResult]:
    passed: set[str] = set()
    for name, check in checks.items():
        finding = _run_check(name, check, passed, context)
        if finding.status == "ok":
            passed.add(name)
        yield replace(finding, name=f"{name}{whose}")


def _run_check(name: str, check: Check, passed: set[str], context: CheckContext) -> CheckResult:
    missing = [need for need in check.needs if need not in passed]
    if missing:
        return CheckResult(name, "skip", f"needs {', '.join(missing)}")
    try:
        return CheckResult(name, "ok", escape_hidden(check.run(context)))
    except SenseMqttError as error:
        return _failure(name, error)


def _failure(name: str, error: SenseMqttError) -> CheckResult:
    return CheckResult(name, "FAIL", describe_error(error), error.exit_code)
