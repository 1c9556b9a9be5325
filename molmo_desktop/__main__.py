# SPDX-License-Identifier: Apache-2.0
"""Entry point of ``molmo-desktop`` and ``python -m molmo_desktop``.

Kept without imports at module level: the engine and reader processes are spawned, and a
spawned child imports this module again. What is not imported here costs them nothing.
"""


def main() -> int:
    """Run the program and return its exit status."""
    import multiprocessing

    multiprocessing.freeze_support()
    try:
        from molmo_desktop.cli import run

        return run()
    except KeyboardInterrupt:  # before the command was ready for it
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
