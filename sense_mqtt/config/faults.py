"""What pydantic found wrong, in sentences that say what to do and never repeat a secret."""

from typing import Any

from pydantic_core import ErrorDetails

from sense_mqtt.config.keys import KEYS, LISTS, SECRETS, KeyPath, dotted, generic, siblings

MAX_SHOWN_LENGTH = 40  # characters of a wrong value

# pydantic's kind of error -> what to say; {not_value} is left empty where the value may be a secret
SENTENCES = {
    "bool_parsing": "must be true or false{not_value}",
    "bool_type": "must be true or false{not_value}",
    "finite_number": "must be a number{not_value}",
    "float_parsing": "must be a number{not_value}",
    "float_type": "must be a number{not_value}",
    "greater_than": "must be more than {gt}{not_value}",
    "greater_than_equal": "must be at least {ge}{not_value}",
    "int_from_float": "must be a whole number{not_value}",
    "int_parsing": "must be a whole number{not_value}",
    "int_parsing_size": "must be a whole number, and not so large",
    "int_type": "must be a whole number{not_value}",
    "less_than_equal": "must be at most {le}{not_value}",
    "literal_error": "must be {expected}{not_value}",
    "dict_type": "must hold keys of its own, one a line, further indented",
    "missing": "must be given",
    "model_type": "must hold keys of its own, one a line, further indented",
    "path_type": "must be the path of a file",
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must not be empty; give a value, or leave the key out",
    "string_type": "must be one text, in quotes",
    "too_short": "must not be empty; give a value, or leave the key out",
    "tuple_type": "must be a list, such as [123456]",
    "value_error": "{error}",
}


def explain(error: ErrorDetails) -> str:
    """One sentence for one error of pydantic, without file and key."""
    path = tuple(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return "is not a known key" + suggest(path)
    if error["type"] == "tuple_type" and path[-1] in LISTS:
        return "must be a list; begin each item with `- `, its keys below each other"
    sentence = SENTENCES.get(error["type"], error["msg"])
    return sentence.format(**_printable(error.get("ctx", {})), not_value=_not_value(path, error["input"]))


def suggest(path: KeyPath) -> str:
    """`; did you mean feed.mode?` for a key that does not exist, else which keys there are."""
    import difflib  # only where something is wrong

    known = siblings(path)
    close = difflib.get_close_matches(path[-1], known, n=1)
    elsewhere = [key for key in KEYS if key[-1] == path[-1]]
    if close:
        return f"; did you mean {dotted((*path[:-1], close[0]))}?"
    if elsewhere:
        return f"; did you mean {dotted(elsewhere[0])}?"
    return f"; known here: {', '.join(known)}"


def _not_value(path: KeyPath, value: Any) -> str:
    if generic(path) in SECRETS or not isinstance(value, str | int | float):
        return ""
    text = str(value)[:MAX_SHOWN_LENGTH]
    return f", not {text}" if _is_number(text) else f", not {text!r}"


def _is_number(text: str) -> bool:
    return text.lstrip("+-").replace(".", "", 1).isdecimal()


def _printable(context: dict[str, Any]) -> dict[str, Any]:
    return {key: f"{value:g}" if isinstance(value, float) else value for key, value in context.items()}
