#!/usr/bin/env python3
"""Looks into running processes as a person does, by `weft ps`, `weft top` and gdb: tests/inspect/run.py BUILD [PART]

Each check starts the program of target.c in one of its modes. A check that needs what the machine lacks is skipped,
with a word. PART runs only the checks whose names contain it.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.dont_write_bytecode = True
import looking_gdb  # noqa: E402, F401
import looking_probes  # noqa: E402, F401
import looking_ps  # noqa: E402, F401
import looking_top  # noqa: E402, F401
from looking import run_checks  # noqa: E402

if __name__ == "__main__":
    sys.exit(run_checks(sys.argv[1:], __doc__))
