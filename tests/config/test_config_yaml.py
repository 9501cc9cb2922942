"""What is said of a file that is no YAML: where, what was expected, what to do; never a value."""

import pytest

SPACES = "indent with spaces, keys of one section all alike"
QUOTES = "put the whole value in quotes"
TAB = f"a tab stands where spaces are expected; {SPACES}"
OVER = f"the value has ended before this, or a quote above was never closed; {QUOTES}"
SIGN = f"a value cannot begin with this sign; {QUOTES}"
OPEN = "the quote that begins here is never closed; close it with the same sign"
COLON = f"a second `: ` in one line; {QUOTES} if the colon belongs to it, else begin a new line"
KEY = f"no key can stand here: the line above lacks its `: `, or this one is indented too far; {SPACES}"
BRACE = "the { that begins here lacks its }, or a comma between two keys"
BRACKET = "the [ that begins here lacks its ], or a comma between two values"
UNLIKE = f"this line is indented unlike those above it; {SPACES}"
# what it is, the file, line and column (None: the parser does not say), what is told
CASES = [
    ("a tab", "mqtt:\n\thost: a", (2, 1), TAB),
    ("a tab after lines with spaces", "mqtt:\n  host: a\n\tport: 1", (3, 1), TAB),
    ("a colon in a value", "sense:\n  password: my: secret", (2, 15), COLON),
    ("an open quote", 'sense:\n  password: "my secret\nmqtt:\n  host: a\n', (2, 13), OPEN),
    ("a quote that another one closes", "sense:\n  password: 'my\nmqtt:\n  host: 'a'\n", (4, 10), OVER),
    ("a quote within quotes", "sense: {password: 'it''s'}\nmqtt:\n  host: 'a'b'", (3, 12), OVER),
    ("a sign that YAML keeps for itself", "sense:\n  password: @secret", (2, 13), SIGN),
    ("an alias that is none", "sense:\n  password: *secret", (2, 13), SIGN),
    ("a percent sign", "sense:\n  password: %secret", (2, 13), SIGN),
    ("a key without its colon", "mqtt:\n  host\n  port: 1", (3, 7), KEY),
    ("a line too far right", "mqtt:\n  host: a\n   port: 1", (3, 8), KEY),
    ("a line too far left", "mqtt:\n    host: a\n  port: 1", (3, 3), UNLIKE),
    ("a list that goes on as keys", "- a\nb: c", (2, 1), UNLIKE),
    ("an open brace", "mqtt: {host: a, port: 1", (1, 7), BRACE),
    ("an open bracket", "sense:\n  monitors: [1, 2\nmqtt: {}", (2, 13), BRACKET),
    ("a file that ends too early", "mqtt: [", (1, 8), "a value is expected, but the file ends"),
    (
        "a list behind its key",
        "sense:\n  monitors: - 1",
        (2, 13),
        "an item of a list begins in a line of its own, with `- `",
    ),
    ("two documents", "a: 1\n---\nb: 2", (2, 1), "a second document begins here; remove the line ---"),
    (
        "an escape",
        'mqtt:\n  password: "a\\q"',
        (2, 16),
        "in double quotes \\ begins an escape; use single quotes, or write \\\\",
    ),
    ("a control character", "a: \x01", None, "a control character stands in the file; remove it"),
    (
        "what nobody thought of",
        "a: |x",
        (1, 5),
        f"what stands here was not expected; {SPACES}, and {QUOTES} if it holds : or #",
    ),
]


@pytest.mark.parametrize(("text", "place", "told"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_what_is_no_yaml_is_explained_with_line_and_column(machine, text, place, told):
    machine.write("config.yaml", text)
    where = "line {}, column {}: ".format(*place) if place else ""
    assert machine.faults() == [f"config.yaml: {where}is not YAML: {told}"]


def test_a_file_that_is_no_utf_8_is_explained(machine):
    machine.write("config.yaml", "").write_bytes(b"a: \xff")
    assert machine.faults() == ["config.yaml: is not YAML: the file is no UTF-8 text; save it as UTF-8"]
