"""Shared set-up: the test folder is importable, so that `tiny` can be used by every test; laws draw the same each time.

`make fuzz` has them draw anew: what it finds becomes an example of its own, and a landing never hangs on a rare draw.
"""

import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))
settings.register_profile("steady", derandomize=True)
settings.register_profile("anew", derandomize=False, print_blob=True)
settings.load_profile("steady")
