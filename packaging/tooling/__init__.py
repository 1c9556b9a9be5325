# SPDX-License-Identifier: Apache-2.0
"""What the task runner does behind its five verbs; standard library only.

`tasks.py` puts this folder's parent on the import path and calls in here. Nothing of the
program imports it, and nothing here imports the program: these modules run before anything is
installed.

- `progress`: say things, run long commands with one line of progress and a full log
- `system`: system libraries of Qt and the C++ compiler, per operating system
- `environment`: virtual environment, locked packages, stamp
- `locks`: resolve the locked packages anew
- `bundle`, `licences`, `smoke`: the Linux bundle and its proof
"""
