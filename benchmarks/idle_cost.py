# SPDX-License-Identifier: Apache-2.0
"""Measure what the program costs while nobody does anything.

    xvfb-run -a python benchmarks/idle_cost.py
    QT_QPA_PLATFORM=offscreen python benchmarks/idle_cost.py --seconds 20 --json

Starts the real window with a home of its own, asks the starter model one question, and measures
the processor time of the window and all its children in each state, in percent of one core. A
busy machine makes the figures a little higher (cold caches), never lower.

Exit status 1 if a state costs more than its limit. The share of each process stands beside it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass

import psutil

VISIBLE_LIMIT_PERCENT = 1.0
HIDDEN_LIMIT_PERCENT = 0.2
SETTLE_S = 4.0
# (name, command to the window, limit)
STATES = (
    ("no model, all figures shown", "figures", VISIBLE_LIMIT_PERCENT),
    ("no model, figures in one line", "line", HIDDEN_LIMIT_PERCENT),
    ("no model, window hidden", "hide", HIDDEN_LIMIT_PERCENT),
    ("model loaded, all figures shown", "ask", VISIBLE_LIMIT_PERCENT),
    ("model loaded, figures in one line", "line", HIDDEN_LIMIT_PERCENT),
    ("model loaded, window minimised", "minimise", HIDDEN_LIMIT_PERCENT),
    ("model loaded, window hidden", "hide", HIDDEN_LIMIT_PERCENT),
    ("model unloaded, all figures shown", "unload", VISIBLE_LIMIT_PERCENT),
)


@dataclass(frozen=True)
class Row:
    """One state.

    Attributes:
        percent: Of one core, window and children.
        engine_percent: Of that, the engine; None while none runs.
    """

    state: str
    percent: float
    window_percent: float
    engine_percent: float | None
    limit_percent: float

    @property
    def is_within(self) -> bool:
        """Whether the limit was kept."""
        return self.percent <= self.limit_percent


class Clock:
    """Processor time of a process and its descendants, by process."""

    def __init__(self, pid: int) -> None:
        self._root = psutil.Process(pid)

    def read(self) -> dict[int, float]:
        """Return seconds for each process that lives."""
        found = {}
        for process in (self._root, *self._root.children(recursive=True)):
            with contextlib.suppress(psutil.Error, OSError):
                found[process.pid] = _cpu_seconds(process)
        return found


def _cpu_seconds(process: psutil.Process) -> float:
    if hasattr(time, "clock_gettime") and psutil.LINUX:
        # The clock of another process, in nanoseconds (clock_getcpuclockid); the figures that
        # psutil reads come in steps of 10 ms.
        return time.clock_gettime((~process.pid << 3) | 2)
    times = process.cpu_times()
    return float(times.user + times.system)


def measure(seconds: float) -> list[Row]:
    """Start the window, go through the states, and end it."""
    with tempfile.TemporaryDirectory() as home:
        child = subprocess.Popen(
            [sys.executable, __file__, "--child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"MOLMO_DESKTOP_HOME": home, "MOLMO_DESKTOP_OFFLINE": "1"},
        )
        try:
            _reply(child)
            return [_row(child, *state, seconds) for state in STATES]
        finally:
            if child.stdin is not None:
                child.stdin.close()
            child.wait(30)


def _row(
    child: subprocess.Popen[str], name: str, command: str, limit: float, seconds: float
) -> Row:
    if child.stdin is None:
        raise RuntimeError("the window has no input")
    child.stdin.write(f"{command}\n")
    child.stdin.flush()
    engine_pid = int(_reply(child))
    time.sleep(SETTLE_S)
    clock = Clock(child.pid)
    before, started = clock.read(), time.monotonic()
    time.sleep(seconds)
    after, elapsed_s = clock.read(), time.monotonic() - started
    used = {pid: 100 * (value - before.get(pid, 0.0)) / elapsed_s for pid, value in after.items()}
    return Row(name, sum(used.values()), used[child.pid], used.get(engine_pid), limit)


def _reply(child: subprocess.Popen[str]) -> str:
    line = child.stdout.readline() if child.stdout is not None else ""
    if not line:
        raise RuntimeError("the window ended")
    return line.strip()


def run_window() -> int:
    """Be the window: do what comes in, a word a line, and answer with the engine's process."""
    from PySide6.QtCore import QEventLoop, QSocketNotifier

    from molmo_desktop.app import create_app

    application, window = create_app(["molmo-desktop"])
    models, live = window.backstage.models, window.panel.live

    def wait_for(signal: object) -> None:
        loop = QEventLoop()
        signal.connect(loop.quit)  # type: ignore[attr-defined]
        loop.exec()

    def obey() -> None:
        command = sys.stdin.readline().strip()
        if not command:
            application.quit()
            return
        if command in ("figures", "ask", "unload"):
            window.showNormal()
            live.set_collapsed(False)
        if command == "line":
            window.showNormal()
            live.set_collapsed(True)
        elif command == "hide":
            window.hide()
        elif command == "minimise":
            window.showMinimized()
        elif command == "ask":
            window.ask("Say hello.")
            wait_for(window.answer_finished)
        elif command == "unload":
            models.unload()
            wait_for(models.unloaded)
        print(window.backstage.assistant.engine.pid or 0, flush=True)

    notifier = QSocketNotifier(sys.stdin.fileno(), QSocketNotifier.Type.Read)
    notifier.activated.connect(obey)
    print("ready", flush=True)
    application.exec()
    window.close()
    return 0


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="in each state")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return run_window()
    rows = measure(options.seconds)
    if options.json:
        for row in rows:
            print(json.dumps(asdict(row)))
    else:
        print(f"{'state':36} {'all':>8} {'window':>8} {'engine':>8} {'limit':>8}")
        for row in rows:
            engine = "–" if row.engine_percent is None else f"{row.engine_percent:.3f} %"
            print(
                f"{row.state:36} {row.percent:6.3f} % {row.window_percent:6.3f} % {engine:>8} "
                f"{row.limit_percent:6.1f} %{'' if row.is_within else '  TOO MUCH'}"
            )
    return 0 if all(row.is_within for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
