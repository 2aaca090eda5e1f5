"""What holds the structure: imports point one way, files stay small, nothing is imported that should not be."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from optimizer.formulation.terms import TERMS
from optimizer.instance import schema_limits

PACKAGE = Path(__file__).parent.parent / "optimizer"
FILES = sorted(PACKAGE.rglob("*.py"))

# what each package may import of the others; the standard library and pydantic, numpy and the like are not listed
MAY = {
    "formulation": set(),
    "catalogue": set(),
    "speed": {"catalogue"},
    "instance": {"catalogue"},  # names only, for "Maybe ..."
    "resolve": {"instance", "catalogue", "speed", "formulation"},
    "engine": {"formulation"},
    "verify": {"instance"},
    "asking": {"formulation", "engine"},
    "plan": {"formulation", "engine", "asking", "instance", "resolve"},
    "report": {"formulation", "plan", "instance", "catalogue"},
    "comparing": {"plan"},
    "variants": {"formulation", "engine", "instance", "plan", "solving"},
    "sweeping": {"catalogue", "engine", "formulation", "instance", "plan", "solving", "variants"},
    "explaining": {"formulation", "engine", "asking", "instance", "resolve", "plan", "solving"},
    "solving": {"formulation", "engine", "instance", "resolve", "plan", "verify"},
}
LIBRARIES = {
    "pyomo": {"formulation", "engine", "solving", "plan", "explaining"},
    "highspy": {"engine"},
    "pyscipopt": {"engine"},
    "typer": {"cli"},
    "rich": {"cli", "report"},
    "pydantic": {"instance", "catalogue"},
    "pandas": {"plan", "report", "cli", "explaining", "sweep", "compare", "comparing", "sweeping"},
    "pint": {"instance"},
    "ruamel": {"instance", "catalogue", "resolve", "speed"},
    "genai_prices": {"catalogue"},
}


def test_a_budget_may_name_the_terms_that_there_are():
    assert tuple(each.name for each in TERMS) == schema_limits.TERMS


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def package(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_one_way(path):
    here = package(path)
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "optimizer" and len(parts) > 1 and here in MAY:
            assert parts[1] in MAY[here] | {here}, f"{here} imports {name}"
        elif parts[0] in LIBRARIES:
            assert here in LIBRARIES[parts[0]], f"{here} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_files_stay_small(path):
    assert len(path.read_text().splitlines()) <= 260


@pytest.mark.parametrize(
    ("code", "heavy"),
    [
        ("import optimizer", ("pandas", "pyomo", "highspy", "numpy", "pydantic")),
        ("import optimizer.instance", ("pandas", "pyomo", "highspy")),
        ("import optimizer.cli.main", ("pandas", "pyomo", "highspy")),
        ("import optimizer.engine.highs", ("pandas", "highspy", "pyscipopt", "scipy")),  # workers do
        ("import optimizer.verify", ("pyomo", "highspy", "optimizer.formulation", "optimizer.resolve")),
    ],
)
def test_what_is_imported_costs_little(code, heavy):
    shown = f"{code}; import sys; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_package_says_that_it_is_typed():
    """The wheel takes the package whole, so that type checkers of others find the mark."""
    assert (PACKAGE / "py.typed").is_file()
    with (PACKAGE.parent / "pyproject.toml").open("rb") as file:
        wheel = tomllib.load(file)["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["packages"] == ["optimizer"]
    assert not {"include", "exclude", "only-include"} & set(wheel)
