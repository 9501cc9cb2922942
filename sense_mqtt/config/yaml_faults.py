"""What is wrong with YAML, in plain words: where, what was expected, what to do. No value is told: it may be secret."""

import re
from typing import Any

from msgspec import Struct

QUOTE_IT = "put the whole value in quotes"
SPACES = "indent with spaces, keys of one section all alike"


class Explanation(Struct, frozen=True):
    """What to say where a parser of YAML complains."""

    complaint: str  # a regular expression for what it says: "context; problem"
    told: str
    at_begin: bool = False  # the place is where what is broken begins, not where that was noticed


# The first that fits. The parser's own words are those of PyYAML's scanner.py and parser.py.
EXPLANATIONS = (
    Explanation(r"; found character '\\t'", f"a tab stands where spaces are expected; {SPACES}"),
    Explanation(
        r"quoted scalar; found (unexpected end|unexpected document)",
        "the quote that begins here is never closed; close it with the same sign",
        at_begin=True,
    ),
    Explanation(
        r"quoted scalar; found unknown escape",
        r"in double quotes \ begins an escape; use single quotes, or write \\",
    ),
    Explanation(r"; could not find expected ':'", "a key is expected here, then `: ` and its value", at_begin=True),
    Explanation(
        r"block mapping; .*found '<scalar>'",
        f"the value has ended before this, or a quote above was never closed; {QUOTE_IT}",
    ),
    Explanation(r"block (mapping|sequence|collection); ", f"this line is indented unlike those above it; {SPACES}"),
    Explanation(r"flow mapping; ", "the { that begins here lacks its }, or a comma between two keys", at_begin=True),
    Explanation(r"flow sequence; ", "the [ that begins here lacks its ], or a comma between two values", at_begin=True),
    Explanation(r"(; found character|alias|anchor|tag|directive)", f"a value cannot begin with this sign; {QUOTE_IT}"),
    Explanation(r"sequence entries", "an item of a list begins in a line of its own, with `- `"),
    Explanation(r"but found another document", "a second document begins here; remove the line ---"),
    Explanation(r"characters are not allowed", "a control character stands in the file; remove it"),
    Explanation(
        r"^(utf|unicode|ascii)|codec|invalid (start|continuation) byte|illegal|truncated data",
        "the file is no UTF-8 text; save it as UTF-8",
    ),
    Explanation(r"but found '<stream end>'", "a value is expected, but the file ends"),
)
MAPPING_VALUES = "mapping values are not allowed here"


def explain_yaml(error: Any) -> str:
    """Return a line for an error of the parser: its place, what was expected, and what to do."""
    begin, noticed = getattr(error, "context_mark", None), getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or ""
    if problem == MAPPING_VALUES:
        return f"{_place(noticed)}is not YAML: {_explain_colon(noticed)}"
    said = f"{getattr(error, 'context', None) or ''}; {problem}"
    for each in EXPLANATIONS:
        if re.search(each.complaint, said):
            return f"{_place(begin if each.at_begin and begin else noticed)}is not YAML: {each.told}"
    return (
        f"{_place(noticed)}is not YAML: what stands here was not expected; {SPACES}, and {QUOTE_IT} if it holds : or #"
    )


def _place(mark: Any) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""


def _explain_colon(mark: Any) -> str:
    """Tell a colon within a value from a key that stands too far to the right."""
    before = mark.buffer[: mark.pointer].rpartition("\n")[2]
    if ":" in before:
        return f"a second `: ` in one line; {QUOTE_IT} if the colon belongs to it, else begin a new line"
    return f"no key can stand here: the line above lacks its `: `, or this one is indented too far; {SPACES}"
