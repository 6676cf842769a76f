"""Run all benches, or those named: `python -m bench [NAME ...]`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main(names: list[str]) -> int:
    """Run each bench in a process of its own; return 1 when one falls short, 2 for a wrong name."""
    known = sorted(path.stem for path in HERE.glob("*.py") if not path.stem.startswith("_"))
    if wrong := sorted(set(names) - set(known)):
        print(f"no bench is called {', '.join(wrong)}; there are: {', '.join(known)}")
        return 2
    ended = [
        subprocess.run([sys.executable, str(HERE / f"{name}.py")], check=False).returncode
        for name in names or known
    ]
    return int(any(ended))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
