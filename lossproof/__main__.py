"""``python -m lossproof``: the command line, as the command ``lossproof`` starts it."""

from __future__ import annotations

import sys

from lossproof.command_line.entry import main

if __name__ == "__main__":
    sys.exit(main())
