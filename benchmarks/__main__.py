"""`python -m benchmarks NAME ...`: run the named measurements, all of them when none is named."""

import sys
from importlib import import_module
from pathlib import Path

NAMES = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))


def main() -> None:
    """Run what was asked for, each with its own defaults."""
    asked = sys.argv[1:] or NAMES
    if unknown := sorted(set(asked) - set(NAMES)):
        sys.exit(f"no measurement called {', '.join(unknown)}; there are: {', '.join(NAMES)}")
    sys.argv[1:] = []
    for name in asked:
        import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main()
