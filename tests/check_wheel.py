"""`make wheel`: install the wheel into a clean environment and run the README there.

    python tests/check_wheel.py dist

It fails if the wheel is larger than 4 MB, lacks what a user needs, or if the README's
first program does not run in an environment that holds the wheel and the oldest
versions that it says it works with; the tests run with the newest.
"""

import os
import subprocess
import sys
import tempfile
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

import snippets

README = Path(__file__).resolve().parent.parent / "README.md"
LARGEST = 4_000_000
NEEDED = (
    "__init__.py",
    "py.typed",
    "_recurrentnn.pyi",
    "reference/__init__.py",
    "demo/page/index.html",
)


def _only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        sys.exit(f"{folder}: expected one {pattern}, found {len(found)}")
    return found[0]


def _check_contents(wheel: Path) -> None:
    size = wheel.stat().st_size
    if size > LARGEST:
        sys.exit(f"{wheel.name}: {size} bytes, at most {LARGEST} are allowed")
    names = zipfile.ZipFile(wheel).namelist()
    missing = [name for name in NEEDED if f"recurrentnn/{name}" not in names]
    if missing:
        sys.exit(f"{wheel.name}: lacks {', '.join(missing)}")


def _oldest_requirements(wheel: Path) -> list[str]:
    # The oldest NumPy has no binaries for the Pythons that came after it.
    if sys.version_info >= (3, 13):
        return []
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(archive.read(name).decode())
    return [need.replace(">=", "==") for need in metadata.get_all("Requires-Dist", [])]


def _check_installed(wheel: Path, folder: Path) -> None:
    # Neither this checkout nor the caller's environment may lend a module.
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
    }

    def run(*command: str | Path) -> None:
        subprocess.run(command, cwd=folder, env=environment, check=True)

    venv.create(folder / "env", with_pip=True)
    binaries = folder / "env" / "bin"
    run(
        binaries / "python",
        "-m",
        "pip",
        "install",
        "--quiet",
        wheel,
        *_oldest_requirements(wheel),
    )
    program = folder / "readme.py"
    program.write_text(snippets.python(README)[0], encoding="utf-8")
    run(binaries / "python", "-W", "error", program)
    run(binaries / "recurrentnn", "--help")


def main(dist: Path) -> None:
    """Check the one wheel and the one sdist that lie in `dist`."""
    wheel, sdist = _only(dist, "*.whl"), _only(dist, "*.tar.gz")
    _check_contents(wheel)
    with tempfile.TemporaryDirectory() as folder:
        _check_installed(wheel, Path(folder))
    python, abi, platform = wheel.stem.split("-")[-3:]
    print(f"{sdist.name} -> {wheel.name}: {wheel.stat().st_size / 1e6:.2f} MB")
    print(f"runs on {platform} with {python.replace('cp3', 'CPython 3.')}+ ({abi})")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
