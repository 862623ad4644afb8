"""The documents are true: every program, command and example in them runs."""

import contextlib
import doctest
import importlib
import io
import os
import pkgutil
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import recurrentnn
import snippets
from recurrentnn import grammar
from support import ROOT

README = ROOT / "README.md"
DOCUMENTS = [README, *sorted((ROOT / "docs").glob("*.md"))]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(recurrentnn.__path__, "recurrentnn.")
    if not module.name.endswith("__main__")
)


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONWARNINGS": "error"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    shown = f"{shlex.join(command)}\n{done.stdout}{done.stderr}"
    assert done.returncode == 0, shown
    return done


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_the_programs_of_a_document_run_in_order(
    document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They share one namespace, as they do for somebody who reads from the top."""
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "__main__"}
    for program in snippets.python(document):
        exec(compile(program, str(document), "exec"), namespace)


def test_the_readme_shows_a_program_of_at_most_25_lines() -> None:
    """Build, train, sample: whoever copies it needs to read nothing else."""
    first = snippets.python(README)[0].strip().splitlines()
    assert 1 <= len(first) <= 25


@pytest.mark.parametrize("name", ["README.md", "docs/command-line.md"])
def test_the_commands_of_a_document_run_in_order(name: str, tmp_path: Path) -> None:
    """Each `recurrentnn ...` line, as typed, in a folder with nothing but a text."""
    for text, sentences in (("book.txt", 200), ("other.txt", 50)):
        (tmp_path / text).write_text(grammar.text(sentences), encoding="utf-8")
    commands = snippets.commands(ROOT / name, "recurrentnn")
    assert commands
    for command in commands:
        _, *arguments = shlex.split(command, comments=True)
        _run([sys.executable, "-m", "recurrentnn", *arguments], tmp_path)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_runs(example: Path, tmp_path: Path) -> None:
    """In an empty folder, without arguments."""
    _run([sys.executable, str(example)], tmp_path)


@pytest.mark.parametrize("name", ["recurrentnn", *MODULES])
def test_the_docstrings_examples_hold(name: str, tmp_path: Path) -> None:
    """Doctests of every module, of the compiled one too."""
    module = importlib.import_module(name)
    # A compiled object does not know its module: look into all of them.
    compiled = name.endswith("._recurrentnn")
    finder = doctest.DocTestFinder()
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    output = io.StringIO()
    with contextlib.chdir(tmp_path):
        for case in finder.find(module, name, module=False if compiled else None):
            runner.run(case, out=output.write)
    assert runner.summarize(verbose=False).failed == 0, output.getvalue()
