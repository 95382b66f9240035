"""What the tests of the rules share: the samples of the model's tests, and an engine on made-up time."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "unit" / "model"))
