"""
The rules of this house that no off-the-shelf linter knows.

Each test names the rule it keeps. A rule that cannot be kept in one place is excused in
EXCUSED, with the reason, where a reviewer will see it.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.architecture.over import ROOT, over

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 400

#: (test, file) → why this file may break this rule.
EXCUSED: dict[tuple[str, str], str] = {
    ("locks", "bench/naive/views.py"): "the version that locks in Python, to be compared with",
}

# Found, not listed: an app that is added tomorrow keeps these rules tomorrow.
APPS = sorted(
    init.parent.name for init in ROOT.glob("*/__init__.py") if init.parent.name != "tests"
)
FILES = [
    path
    for app in APPS
    for path in sorted((ROOT / app).rglob("*.py"))
    if "migrations" not in path.relative_to(ROOT).parts
]
TEST_FILES = sorted((ROOT / "tests").rglob("*.py"))


def parts(path: Path) -> tuple[str, ...]:
    """Return the path inside the repository, so that where it is checked out is no matter."""
    return path.relative_to(ROOT).parts


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


SERVICES = [path for path in FILES if "services" in parts(path)]
DOORS = [
    path
    for path in FILES
    if {"api", "management", "admin"} & set(parts(path)) or path.name in ("admin.py", "tasks.py")
]
MODELS = [path for path in FILES if "models" in parts(path) or path.name == "models.py"]
NEED_CLASS_DOCSTRINGS = {"models", "errors", "admin", "views", "enums", "serializers"}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def functions(path: Path) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef))


def public_functions(path: Path) -> list[ast.FunctionDef]:
    return [
        node
        for node in tree(path).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    ]


def method_calls(path: Path, attribute: str) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == attribute
    ]


def is_excused(test: str, path: Path) -> bool:
    return (test, name(path)) in EXCUSED


def test_there_is_something_to_check() -> None:
    assert {"core", "operators", "players", "games", "wallets", "jackpots"} <= set(APPS)
    assert len(SERVICES) > 5
    assert len(DOORS) > 5


def test_every_excuse_is_still_needed_and_names_a_file() -> None:
    known = {name(path) for path in FILES}

    assert [file for _test, file in EXCUSED if file not in known] == []


@over([*FILES, *TEST_FILES])
def test_a_file_fits_in_one_head(path: Path) -> None:
    lines = len(path.read_text().splitlines())

    assert lines <= FILE_LINES_MAX or is_excused("file", path), f"{lines} lines"


@over(FILES)
def test_a_function_fits_on_one_screen(path: Path) -> None:
    for function in functions(path):
        assert function.end_lineno is not None
        length = function.end_lineno - function.lineno + 1
        assert length <= FUNCTION_LINES_MAX, f"{function.name} is {length} lines"


@over(FILES)
def test_only_core_locks_takes_locks(path: Path) -> None:
    if name(path) != "core/locks.py" and not is_excused("locks", path):
        assert method_calls(path, "select_for_update") == []
        assert not re.search(r"FOR (NO KEY )?UPDATE(?! SKIP)|FOR SHARE", path.read_text()), (
            "a row lock in SQL"
        )


@over(FILES)
def test_rows_are_read_again_not_refreshed(path: Path) -> None:
    # django-fsm lifts the protection of a state field, for the whole process, while
    # refresh_from_db runs; and for good if it raises.
    assert method_calls(path, "refresh_from_db") == []


@over(FILES)
def test_every_module_and_class_says_what_it_is_for(path: Path) -> None:
    module = tree(path)

    assert not module.body or ast.get_docstring(module), "module docstring"
    for node in module.body:
        if isinstance(node, ast.ClassDef) and NEED_CLASS_DOCSTRINGS & {path.stem, *parts(path)}:
            # A queryset is named for what it is; its methods speak.
            assert ast.get_docstring(node) or node.name.endswith("QuerySet"), node.name


@over(SERVICES)
def test_a_service_is_called_by_keyword_and_explains_itself(path: Path) -> None:
    for function in public_functions(path):
        assert function.args.args == [], f"{function.name} takes positional arguments"
        assert ast.get_docstring(function), f"{function.name} has no docstring"


@over(SERVICES)
def test_a_service_saves_named_fields(path: Path) -> None:
    for call in method_calls(path, "save"):
        # A bare save() writes back every column as it was read, stale ones too.
        keywords = [keyword.arg for keyword in call.keywords]
        assert keywords in (["update_fields"], ["force_insert"]), f"line {call.lineno}"


def test_a_service_has_a_name_of_its_own() -> None:
    found = [function.name for path in SERVICES for function in public_functions(path)]

    assert sorted({each for each in found if found.count(each) > 1}) == []


@over(DOORS)
def test_a_door_writes_nothing(path: Path) -> None:
    for method in ("save", "delete", "create", "bulk_create", "get_or_create", "update_or_create"):
        assert method_calls(path, method) == [], f".{method}() belongs in a service"


@over(FILES)
def test_nothing_lists_all_fields_of_a_model(path: Path) -> None:
    assert "__all__ =" in path.read_text() or '"__all__"' not in path.read_text()


@over(FILES)
def test_html_is_never_declared_safe(path: Path) -> None:
    assert not re.search(r"\bmark_safe\b|\bSafeString\b", path.read_text())


@over(MODELS)
def test_transitions_name_their_sources_and_have_no_hidden_rules(path: Path) -> None:
    for function in functions(path):
        for decorator in function.decorator_list:
            if (
                isinstance(decorator, ast.Call)
                and getattr(decorator.func, "id", "") == "transition"
            ):
                keywords = {keyword.arg: keyword.value for keyword in decorator.keywords}
                assert set(keywords) == {"field", "source", "target"}, function.name
                assert not (
                    isinstance(keywords["source"], ast.Constant)
                    and keywords["source"].value in ("*", "+")
                ), function.name


@over(sorted(ROOT.glob("*/migrations/0*.py")))
def test_a_migration_imports_no_models(path: Path) -> None:
    imported = [
        node.module
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and node.module
    ]

    assert [
        module
        for module in imported
        if module.split(".")[-1] == "models"
        and module.split(".")[0] in APPS
        and module != "core.models"
    ] == []
