# SPDX-License-Identifier: Apache-2.0
"""The id of something that is being saved: known as soon as it is."""

from __future__ import annotations

from molmo_desktop.core.errors import HistoryError


class StoredId:
    """Stands for a row of the store from the moment it is to be written.

    What refers to the row is written later by the same thread, and finds the id there. A row
    that could not be written has none, and what refers to it is left out without further words.

    Args:
        value: Of a row that is there already.
    """

    def __init__(self, value: int | None = None) -> None:
        self._value = value
        self.error: HistoryError | None = None

    @property
    def value(self) -> int | None:
        """The id; None while it is not known, and for ever when the row could not be written."""
        return self._value

    def __call__(self) -> int:
        """Return the id, in the writing thread.

        Raises:
            HistoryError: The row could not be written, which the user was told.
        """
        if self._value is None:
            raise HistoryError("Nothing was saved.", is_unsaved=True)
        return self._value

    def settle(self, value: int | None) -> None:
        """Take the id of the row that was written."""
        self._value = value

    def fail(self, error: HistoryError) -> None:
        """Remember why there is none."""
        self.error = error
