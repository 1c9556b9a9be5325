# SPDX-License-Identifier: Apache-2.0
"""The task runner of Molmo Desktop: five verbs, standard library only.

``python3 tasks.py`` alone prints the verbs. Each verb first installs what it lacks and says
so; the second time it starts at once.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - says it before a newer syntax fails
    sys.exit("Molmo Desktop needs Python 3.11 or newer; this is Python " + sys.version.split()[0])

import io
import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "packaging"))

from tooling import environment, system  # noqa: E402 - found only now
from tooling.progress import StepFailedError, say  # noqa: E402

SAMPLE = ROOT / "assets" / "samples" / "invoice.pdf"
SAMPLE_QUESTION = "What is the total due?"
VENV = environment.Environment(ROOT / ".venv", environment.SETUP_LOG)

USAGE = """\
Molmo Desktop: python3 tasks.py VERB   (on Windows: py tasks.py VERB)

  setup            install everything for running, testing and checking into .venv
  run [ARG…]       open the program, with the sample invoice when no argument is given;
                   arguments go to the program, as in: run ask "What is this?" picture.jpg
  check            format, lint, types, import rules
  test [ARG…]      run the tests; arguments go to pytest, as in: test -k evidence
  package          build the bundle for this system and try it out

  setup --lock     resolve the locked packages in requirements/ anew
"""


def prepare(groups: tuple[environment.PackageGroup, ...]) -> None:
    """Install what is missing for these groups; takes a moment when nothing is.

    Raises:
        StepFailedError: Something could not be installed.
    """
    lacking = VENV.lacks(groups)
    needs = _system_needs(lacking)
    if not (lacking or VENV.lacks_project() or system.lacks_something(needs)):
        return
    with environment.fresh_log(VENV.log_file):
        _install(VENV.lacks(groups))


def _system_needs(lacking: list[environment.PackageGroup]) -> system.Needs:
    return system.Needs(
        compiler=environment.ENGINE in lacking, venv=bool(lacking) and not VENV.python.exists()
    )


def _install(lacking: list[environment.PackageGroup]) -> None:
    say(f"Setting up Molmo Desktop in {ROOT}")
    if environment.ENGINE in lacking:
        say("The first time this downloads about 0.4 GB and compiles the inference engine,")
        say("which takes 4 to 10 minutes on two cores. Later starts take a second.")
        environment.warn_about_disk_space()
    system.prepare_system(VENV.log_file, _system_needs(lacking))
    if not lacking and not VENV.lacks_project():
        return
    VENV.create()
    for group in lacking:
        VENV.install(group)
    if VENV.lacks_project():
        VENV.install_project()
    VENV.check_loading()
    say("Ready.")


def setup(arguments: list[str]) -> int:
    """Install everything, or resolve the locks anew."""
    if arguments == ["--lock"]:
        from tooling import locks

        locks.update_locks()
        return 0
    if arguments:
        return _refuse(f"“setup” does not know {' '.join(arguments)}.")
    prepare(environment.DEVELOPMENT_GROUPS)
    say(f"Everything is installed in {VENV.folder}. Next: python3 tasks.py run")
    return 0


def run(arguments: list[str]) -> int:
    """Open the program on the sample invoice, or with the arguments given."""
    prepare(environment.RUN_GROUPS)
    opens_window = all(Path(argument).exists() for argument in arguments)
    if opens_window and not _has_screen():
        if arguments:
            say("There is no screen here, so no window can open. Ask on the terminal instead:")
            say(f'  python3 tasks.py run ask "What is this about?" {" ".join(arguments)}')
            return 1
        say("There is no screen here, so no window can open. Asking the sample document on the")
        say(f"terminal instead: molmo-desktop ask “{SAMPLE_QUESTION}” {SAMPLE.name}")
        arguments = ["ask", SAMPLE_QUESTION, str(SAMPLE)]
    elif not arguments:
        say(f"Opening the window with {SAMPLE.relative_to(ROOT)}.")
        arguments = [str(SAMPLE)]
    command = [str(VENV.python), "-m", "molmo_desktop", *arguments]
    if sys.platform == "win32":
        return subprocess.call(command)
    os.execv(command[0], command)  # signals and the exit status are the program's own


def check(arguments: list[str]) -> int:
    """Run every check, also after one has failed."""
    if arguments:
        return _refuse("“check” takes no arguments.")
    prepare(environment.DEVELOPMENT_GROUPS)
    tools = {
        "format": ["-m", "ruff", "format", "--check", "."],
        "lint": ["-m", "ruff", "check", "."],
        "types": ["-m", "mypy"],
        "import rules": ["-c", "from importlinter.cli import lint_imports_command as c; c()"],
    }
    failed = []
    for name, words in tools.items():
        say(f"— {name}")
        if subprocess.call([str(VENV.python), *words], cwd=ROOT):
            failed.append(name)
    say(f"Failed: {', '.join(failed)}." if failed else "All checks passed.")
    return 1 if failed else 0


def test(arguments: list[str]) -> int:
    """Run the tests without a screen and away from the user's own data."""
    prepare(environment.DEVELOPMENT_GROUPS)
    with tempfile.TemporaryDirectory(prefix="molmo-desktop-test-") as home:
        variables = os.environ | {"QT_QPA_PLATFORM": "offscreen", "MOLMO_DESKTOP_HOME": home}
        command = [str(VENV.python), "-m", "pytest", *arguments]
        return subprocess.call(command, cwd=ROOT, env=variables)


def package(arguments: list[str]) -> int:
    """Build the bundle for this system and prove that it starts and answers."""
    if arguments:
        return _refuse("“package” takes no arguments.")
    from tooling import bundle

    with environment.fresh_log(bundle.PACKAGE_LOG):
        system.prepare_system(bundle.PACKAGE_LOG, system.Needs(compiler=True, venv=True))
        folder = bundle.build()
    say(f"The bundle is in {folder}.")
    return 0


def _has_screen() -> bool:
    """Return whether a window can be shown, or the user has chosen how."""
    if sys.platform != "linux" or os.environ.get("QT_QPA_PLATFORM"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _refuse(reason: str) -> int:
    say(reason)
    say(USAGE)
    return 2


VERBS: dict[str, Callable[[list[str]], int]] = {
    "setup": setup,
    "run": run,
    "check": check,
    "test": test,
    "package": package,
}


def main(arguments: list[str]) -> int:
    """Do what the first argument says and return the exit status."""
    for stream in (sys.stdout, sys.stderr):  # a terminal without these quotes must not stop us
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(USAGE, end="")
        return 0
    verb = VERBS.get(arguments[0])
    if verb is None:
        return _refuse(f"There is no verb “{arguments[0]}”.")
    try:
        return verb(arguments[1:])
    except StepFailedError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("Interrupted.")
        return 130


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
