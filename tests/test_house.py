"""The house is in order: sizes, imports, dependencies, and nothing of one machine."""

import ast
import json
import re
import statistics
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support import ROOT

FOLDERS = ["rust", "python", "tests", "benches", "examples", "docs", ".ci"]
CODE = {".rs", ".py", ".pyi"}
TEXT = CODE | {".md", ".toml", ".json", ".yml", ".cff", ""}
LONGEST = 600
MEDIAN = 200


def _files(suffixes: set[str]) -> list[Path]:
    inside = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*"))
    return [
        path
        for path in (*ROOT.iterdir(), *inside)
        if path.is_file()
        and path.suffix in suffixes
        and not any(re.match(r"__pycache__|\..*_cache", part) for part in path.parts)
    ]


def _length(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_no_file_is_too_long() -> None:
    """A file holds one idea."""
    long = {
        str(path): _length(path) for path in _files(CODE) if _length(path) > LONGEST
    }
    assert not long


@pytest.mark.parametrize("folder", ["rust", "python", "tests"])
def test_the_median_file_is_short(folder: str) -> None:
    """Half of the files fit on a few screens."""
    inside = [path for path in _files(CODE) if (ROOT / folder) in path.parents]
    assert statistics.median(map(_length, inside)) < MEDIAN


def test_nothing_names_a_path_of_one_machine() -> None:
    """Neither a home nor a place that only one machine has."""
    path = re.compile(r"(?<![\w.])/(?:work|root|farm|home|Users)/[A-Za-z.]")
    named = [
        f"{file.relative_to(ROOT)}: {line.strip()}"
        for file in _files(TEXT)
        for line in file.read_text(encoding="utf-8").splitlines()
        if path.search(line)
    ]
    assert not named


def test_code_is_built_for_the_baseline_cpu() -> None:
    """A wheel runs anywhere: the instruction set is chosen when it runs."""
    settings = [ROOT / "Makefile", ROOT / ".ci" / "run", *_files({".toml"})]
    settings += (ROOT / ".cargo").glob("*")
    assert not [file for file in settings if "target-cpu" in file.read_text()]


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # `from . import x` stays inside as long as it climbs one level.
            yield node.module or "" if node.level == 0 else "." * node.level


def _depth(file: Path, package: Path) -> int:
    return len(file.relative_to(package).parts)


def test_the_reference_stands_on_the_standard_library_alone() -> None:
    """The oracle shares no code with what it judges."""
    folder = ROOT / "python" / "recurrentnn" / "reference"
    files = sorted(folder.rglob("*.py"))
    assert files
    foreign = [
        f"{file.name}: {name}"
        for file in files
        for name in _imports(file)
        if name.split(".")[0] not in sys.stdlib_module_names
        and not (name + ".").startswith("recurrentnn.reference.")
        and not (name.strip(".") == "" and len(name) <= _depth(file, folder))
    ]
    assert not foreign


def _loaded_by(program: str) -> set[str]:
    shown = "import json, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\n{shown}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.split(".")[0] for name in json.loads(done.stdout)}


def test_importing_the_package_loads_numpy_and_nothing_else() -> None:
    """click, tqdm and tomli_w load when they are used."""
    new = _loaded_by("import recurrentnn") - _loaded_by("import numpy")
    assert {name for name in new if name not in sys.stdlib_module_names} == {
        "recurrentnn"
    }


def test_conversions_load_no_other_library() -> None:
    """Neither PyTorch nor ONNX, until a file or an export needs it."""
    new = _loaded_by("import recurrentnn.convert") - _loaded_by("import recurrentnn")
    assert new <= sys.stdlib_module_names


def _dependencies() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"].values()
    groups = [*project["dependency-groups"].values(), *extras]
    wanted = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    wanted += [entry for group in groups for entry in group if isinstance(entry, str)]
    names = {re.split(r"[<>=!~\[ ]", entry)[0] for entry in wanted}
    for manifest in (ROOT / "rust").glob("*/Cargo.toml"):
        crate: dict[str, Any] = tomllib.loads(manifest.read_text())
        for where in (crate, *crate.get("target", {}).values()):
            for table in ("dependencies", "dev-dependencies", "build-dependencies"):
                names |= where.get(table, {}).keys()
    return names - {"recurrentnn"}


def test_contributing_says_what_each_dependency_saves_us() -> None:
    """One line per dependency: `- `name`: what for`; and none that is gone."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.partition("\n## Dependencies\n")[2].partition("\n## ")[0]
    listed = set(re.findall(r"^- `([\w-]+)`", section, re.MULTILINE))
    assert listed == _dependencies()
