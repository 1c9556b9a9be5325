# SPDX-License-Identifier: Apache-2.0
"""A bare window that is watched beside the program's: whatever it feels, the machine did.

Started as a program it reads "begin" and "end" from its input and answers each "end" with the
`Gaps` of that stretch as JSON. With ``--show-only`` it only opens, to be timed.
"""

from __future__ import annotations

import sys

from PySide6.QtWidgets import QApplication, QMainWindow


def main() -> int:
    application = QApplication(["bare"])
    window = QMainWindow()
    window.resize(1280, 800)
    window.show()
    if "--show-only" not in sys.argv:
        _serve(application)
    return application.exec()


def _serve(application: QApplication) -> None:
    import json
    from dataclasses import asdict

    from PySide6.QtCore import QSocketNotifier

    from smooth.loop_watch import LoopWatch

    watch = LoopWatch()
    notifier = QSocketNotifier(0, QSocketNotifier.Type.Read, application)

    def obey() -> None:
        words = sys.stdin.readline().strip()
        if words == "begin":
            watch.begin()
        elif words == "end":
            print(json.dumps(asdict(watch.end())), flush=True)
        else:
            application.quit()

    notifier.activated.connect(obey)


if __name__ == "__main__":
    raise SystemExit(main())
