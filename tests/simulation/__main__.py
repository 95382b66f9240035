"""Play one story and print it: ``cd tests && python -m simulation SEED``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from .story import Story, digest
from .virtual_time import run_virtually


def main() -> int:
    """Print the trace, and what was wrong at its end."""
    seed, told = int(sys.argv[1]), []

    async def whole() -> None:
        told.append(Story(Path(folder), seed))
        await told[0].play()

    with tempfile.TemporaryDirectory() as folder:
        try:
            run_virtually(whole())
        except Exception as fault:
            print(*told[0].witness.trace, sep="\n")
            print(f"{type(fault).__name__}: {fault}", file=sys.stderr)
            raise
    print(*told[0].witness.trace, sep="\n")
    print(f"digest {digest(told[0].witness.trace)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
