"""`python -m arc` and the `arc` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its exit code."""
    try:
        from arc.tools.cli import main as run
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.split(".")[0] == "arc":
            raise
        sys.exit(f"arc needs {missing.name}, which is not installed. Run: pip install 'arc-sessions[sandbox]'")
    except KeyboardInterrupt:  # while the tools are imported
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
