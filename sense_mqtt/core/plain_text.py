"""Text of others, made safe for one line of a log or of a terminal."""

import re

# What shows nothing, moves the cursor, ends a line or turns the direction: controls (Cc), formats (Cf), line and
# paragraph separators, surrogates, and the letters and marks that Unicode calls ignorable.
_HIDDEN = (
    "\\x00-\\x1f\\x7f-\\x9f\\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u2800\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)
HIDDEN_CHARACTERS = re.compile(f"[{_HIDDEN}]")


def without_hidden(text: str) -> str:
    """Return the text without characters that do not show."""
    return HIDDEN_CHARACTERS.sub("", text)


def escape_hidden(text: str) -> str:
    """Return the text on one line: characters that do not show as Python writes them, such as \\n."""
    return HIDDEN_CHARACTERS.sub(lambda found: ascii(found.group())[1:-1], text)
