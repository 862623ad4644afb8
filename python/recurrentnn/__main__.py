"""`python -m recurrentnn` is the command `recurrentnn`."""

import sys

from recurrentnn.cli import main

sys.exit(main())
