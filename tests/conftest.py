"""Shared set-up: the test folder is importable, so that `tiny` can be used by every test."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
