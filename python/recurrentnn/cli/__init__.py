"""The command `recurrentnn`: results on stdout, progress and errors on stderr.

Exit codes: 0 done, 1 failure, 2 wrong usage, 3 a file that cannot be used, 130 Ctrl-C,
143 SIGTERM.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line, by default the process's own, and give its exit code."""
    # click is needed by the command alone, not by `import recurrentnn`.
    import click

    from recurrentnn.cli.app import app
    from recurrentnn.errors import FormatError, RecurrentNNError

    # As Ctrl-C: what is learnt is kept. Only the main thread may say so.
    main_thread = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, _terminate) if main_thread else None
    try:
        app.main(
            args=None if arguments is None else list(arguments),
            prog_name="recurrentnn",
            standalone_mode=False,
        )
    except click.Abort:
        return _fail("interrupted", 130)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except OSError as error:
        named = error.filename is not None and error.strerror is not None
        return _fail(f"{error.filename}: {error.strerror}" if named else str(error), 3)
    except (FormatError, UnicodeDecodeError) as error:
        return _fail(str(error), 3)
    except (RecurrentNNError, ImportError) as error:
        return _fail(str(error), 1)
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)
    return 0


def _terminate(number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(128 + number)


def _fail(message: str, code: int) -> int:
    print(f"recurrentnn: {message}", file=sys.stderr)
    return code
