# SPDX-License-Identifier: Apache-2.0
"""A second program for the tests: writes answers into a database.

``writing_child.py FILE NAME COUNT`` writes COUNT answers (-1 = until it is killed) into one
conversation and prints the id of each when it is finished. ``writing_child.py FILE NAME hold``
begins an answer, prints its id and waits for the end of its input.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

from molmo_desktop.store.store import Store


def main() -> None:
    store = Store(Path(sys.argv[1]))
    name, count = sys.argv[2], sys.argv[3]
    conversation = store.create_conversation(name)
    if count == "hold":
        question = store.add_question(conversation, "held")
        answer_id = store.start_answer(conversation, question, "m")
        print(answer_id, flush=True)
        sys.stdin.read()
        return
    numbers = itertools.count() if count == "-1" else range(int(count))
    for number in numbers:
        question = store.add_question(conversation, f"{name} question {number}")
        answer_id = store.start_answer(conversation, question, "m")
        for length in range(1, 6):
            store.save_partial(answer_id, f"answer {number} " * length)
        text = f"answer {number} " * 50
        store.finish_answer(answer_id, {"answer": text, "energy": {"energy_j": 1.0}}, "finished")
        print(answer_id, flush=True)


if __name__ == "__main__":
    main()
