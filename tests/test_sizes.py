"""Limits of size: 30 lines for a function, 250 for a file, 7 parameters."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.support.checkout import ROOT

MAX_FUNCTION_LINES = 30  # without its docstring, blank lines and comments
MAX_FILE_LINES = 250
MAX_PARAMETERS = 7  # without self and cls

Function = ast.FunctionDef | ast.AsyncFunctionDef


def test_no_file_function_or_parameter_list_is_too_long():
    found = (finding for path in sources() for finding in oversized(path.relative_to(ROOT), path.read_text()))
    assert [f"{where}: {what}" for where, what in found] == []


def test_a_docstring_a_comment_and_a_blank_line_count_for_nothing():
    body = '    """Docstring.\n\n    Two lines.\n    """\n    # comment\n\n' + "    pass\n" * (MAX_FUNCTION_LINES - 1)
    assert list(oversized(Path("a.py"), f"def f():\n{body}")) == []
    assert list(oversized(Path("a.py"), f"def f():\n{body}    pass\n")) == [("a.py f", "31 lines")]


def test_self_is_no_parameter():
    seven = "a, b, c, d, *e, f, g"
    assert list(oversized(Path("a.py"), f"class C:\n    def f(self, {seven}): ...\n")) == []
    assert list(oversized(Path("a.py"), f"def f({seven}, **h): ...\n")) == [("a.py f", "8 parameters")]


def sources() -> Iterator[Path]:
    for folder in ("sense_mqtt", "tests", "bench", "docs"):
        yield from sorted((ROOT / folder).rglob("*.py"))


def oversized(path: Path, source: str) -> Iterator[tuple[str, str]]:
    """Yield what is too large, and by how much."""
    lines = len(source.splitlines())
    if lines > MAX_FILE_LINES:
        yield str(path), f"{lines} lines"
    tree = ast.parse(source)
    code = code_lines(source, tree)
    for name, function in functions(tree, ""):
        length = sum(line in code for line in range(first_line(function), (function.end_lineno or 0) + 1))
        if length > MAX_FUNCTION_LINES:
            yield f"{path} {name}", f"{length} lines"
        count = len(parameters(function))
        if count > MAX_PARAMETERS:
            yield f"{path} {name}", f"{count} parameters"


def code_lines(source: str, tree: ast.Module) -> set[int]:
    """Return the numbers of the lines that hold code: neither blank, nor comment, nor docstring."""
    written = (number for number, line in enumerate(source.splitlines(), 1) if line.strip() and line.strip()[0] != "#")
    return set(written) - docstring_lines(tree)


def docstring_lines(tree: ast.AST) -> set[int]:
    documented = [node for node in statements(tree) if isinstance(node, ast.Module | ast.ClassDef | Function)]
    docstrings = [node.body[0] for node in documented if ast.get_docstring(node, clean=False) is not None]
    return {line for node in docstrings for line in range(node.lineno, (node.end_lineno or 0) + 1)}


def statements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield all nodes but expressions, which are most of a tree and hold no definition."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.expr):
            yield from statements(child)


def functions(tree: ast.AST, above: str) -> Iterator[tuple[str, Function]]:
    for node in ast.iter_child_nodes(tree):
        name = f"{above}{node.name}." if isinstance(node, ast.ClassDef | Function) else above
        if isinstance(node, Function):
            yield name.rstrip("."), node
        if not isinstance(node, ast.expr):
            yield from functions(node, name)


def first_line(function: Function) -> int:
    return min([function.lineno, *(decorator.lineno for decorator in function.decorator_list)])


def parameters(function: Function) -> list[str]:
    given = function.args
    positional = [*given.posonlyargs, *given.args]
    if positional and positional[0].arg in ("self", "cls"):
        positional = positional[1:]
    others = [*given.kwonlyargs, *([given.vararg] if given.vararg else []), *([given.kwarg] if given.kwarg else [])]
    return [parameter.arg for parameter in (*positional, *others)]
