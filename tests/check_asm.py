"""What must not be in the inner loops of the products: calls, spilled registers.

    RUSTFLAGS=-Csymbol-mangling-version=v0 cargo bench --bench kernels --no-run
    python tests/check_asm.py target/release/deps/kernels-*

Needs `objdump`. Prints one line a loop with multiply-adds; fails if one calls a
function or moves a vector register to or from the stack.
"""

import re
import subprocess
import sys
from collections.abc import Iterator

FUNCTION = re.compile(r"^[0-9a-f]+ <(.*)>:$")
INSTRUCTION = re.compile(r"^\s+([0-9a-f]+):\s+(.*)$")
JUMP = re.compile(r"^j\w+\s+([0-9a-f]+)")
SPILL = re.compile(r"^v\w*mov\w+ .*\[r[sb]p")
TILES = re.compile(r"row::(Tiles<.*?>)")


def functions(binary: str) -> Iterator[tuple[str, list[tuple[int, str]]]]:
    """Name and instructions of every function that `Isa::run` compiles for a tile."""
    command = ["objdump", "-d", "-C", "-M", "intel", "--no-show-raw-insn", binary]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    name = ""
    body: list[tuple[int, str]] = []
    for line in text.splitlines():
        if match := FUNCTION.match(line):
            if "row::Tiles<" in name:
                yield name, body
            name, body = match[1], []
        elif match := INSTRUCTION.match(line):
            body.append((int(match[1], 16), match[2].strip()))
    if "row::Tiles<" in name:
        yield name, body


def inner_loops(body: list[tuple[int, str]]) -> Iterator[list[str]]:
    """The loops with multiply-adds that have no other jump inside."""
    places = {address: i for i, (address, _) in enumerate(body)}
    for end, (_, text) in enumerate(body):
        jump = JUMP.match(text)
        start = places.get(int(jump[1], 16)) if jump else None
        if start is None or start > end:
            continue
        loop = [text for _, text in body[start : end + 1]]
        if any("vfmadd" in text for text in loop) and not any(
            map(JUMP.match, loop[:-1])
        ):
            yield loop


def main(binary: str) -> int:
    """Checks one binary; the number of bad loops."""
    bad = seen = 0
    for name, body in functions(binary):
        for loop in inner_loops(body):
            seen += 1
            adds = sum("vfmadd" in text for text in loop)
            calls = sum(text.startswith("call") for text in loop)
            spills = sum(bool(SPILL.match(text)) for text in loop)
            isa = "avx512" if "avx512" in name else "avx2"
            match = TILES.search(name)
            tile = match[1] if match else name
            print(f"{isa:6} {len(loop):3} instructions {adds:3} multiply-adds", end=" ")
            print(f"{calls} calls {spills} spills  {tile}")
            bad += bool(calls or spills)
    if not seen:
        print("no tiles found: was the binary built with v0 symbols?")
    return bad or int(not seen)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
