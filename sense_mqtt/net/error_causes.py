"""The cause of a library's error: libraries wrap the operating system's error, sometimes four times."""

from collections.abc import Iterator


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all its causes; requests and urllib3 pass causes as arguments, too."""
    waiting, seen = [error], set[int]()
    while waiting:
        each = waiting.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        found = (each.__cause__, each.__context__, getattr(each, "reason", None), *each.args)
        waiting += [cause for cause in found if isinstance(cause, BaseException)]


def root_reason(error: BaseException) -> str:
    """Return the operating system's text, else the class of the error; never the content of a request."""
    for each in causes(error):
        if isinstance(each, OSError) and each.strerror and each.errno is not None:
            return each.strerror.lower()
    return type(error).__name__
