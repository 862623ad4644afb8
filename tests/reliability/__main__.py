"""`make reliability`: processes killed, runs resumed, files damaged; the counts.

python tests/reliability --kills 300 --resumes 50 --flips 20000 --seed 0
"""

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from reliability import damage, kills, resumes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, count in (("kills", 300), ("resumes", 50), ("flips", 20_000)):
        parser.add_argument(f"--{name}", type=int, default=count)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    failures = 0
    for name, check in (
        ("kills", kills.check),
        ("resumes", resumes.check),
        ("flips", damage.check),
    ):
        count = getattr(options, name)
        begun = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            rng = random.Random(options.seed)
            figures = check(Path(folder), count, rng)
        bad = sum(value for key, value in figures.items() if key.startswith("bad: "))
        failures += bad
        print(f"{name} (seed {options.seed}, {time.monotonic() - begun:.0f} s)")
        for key, value in figures.items():
            print(f"  {key:34} {value:>9,}")
    print("FAILED" if failures else "passed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
