# SPDX-License-Identifier: Apache-2.0
"""Every error that a user can meet, as one tree.

::

    MolmoDesktopError              message = what, hint = what to do, detail = for a report
    ├── UsageError                 the command or the request makes no sense             exit 2
    ├── DocumentError              a file could not be read                              exit 3
    │   ├── DocumentNotFoundError      no file there, or a folder
    │   ├── UnsupportedFormatError     a type that no reader knows, or one this model cannot use
    │   ├── DocumentUnreadableError    damaged, empty, or its reader crashed
    │   ├── DocumentTooLargeError      a bomb, or past the limits of the reader
    │   └── PasswordRequiredError
    ├── ModelError                 no usable model                                       exit 4
    │   ├── ModelNotFoundError
    │   ├── ModelLoadError             reason of llama.cpp in detail
    │   └── ProjectorMismatchError     the mmproj file does not belong to the model
    ├── EngineError                the engine failed                                     exit 5
    │   ├── EngineCrashedError         exit_code says how the process ended
    │   ├── RepeatedCrashError         it crashed before; not tried again without asking
    │   ├── OutOfMemoryError
    │   └── ContextOverflowError       token_count, context_length
    ├── HistoryError               the conversations' database cannot be used            exit 1
    ├── SettingsError              settings cannot be written                            exit 1
    └── Cancelled                  the user asked for it; never shown                    exit 130

An error crosses a process as plain data (`to_dict`, `error_from_dict`), never as a pickled object.
"""

from __future__ import annotations

from typing import Any, ClassVar


class MolmoDesktopError(Exception):
    """A failure with a sentence for the user.

    Args:
        message: What happened, one sentence.
        hint: What the user can do about it, one sentence; may be empty.
        detail: For a report: the library's own words, a log path. Shown folded away.
        data: Plain values (str, int, float, bool, None) that go with the error.
    """

    exit_status: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "", detail: str = "", **data: Any) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.detail = detail
        self.data = data

    @property
    def kind(self) -> str:
        """The name of the error's class, as it stands in JSON."""
        return type(self).__name__

    def to_dict(self) -> dict[str, Any]:
        """Return the error as plain data: kind, message, hint, detail and data."""
        return {
            "kind": self.kind,
            "message": self.message,
            "hint": self.hint,
            "detail": self.detail,
            "data": self.data,
        }

    def shown(self) -> dict[str, Any]:
        """Return the error as the command line and the window show it: no detail, data beside."""
        return {"kind": self.kind, "message": self.message, "hint": self.hint, **self.data}

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class UsageError(MolmoDesktopError):
    """The command or the request makes no sense."""

    exit_status = 2


class DocumentError(MolmoDesktopError):
    """A file could not be read."""

    exit_status = 3


class DocumentNotFoundError(DocumentError):
    """There is no file at that path, or it is a folder."""


class UnsupportedFormatError(DocumentError):
    """No reader knows this type, or the chosen model cannot use it."""


class DocumentUnreadableError(DocumentError):
    """The file is damaged or empty, or reading it crashed or took too long."""


class DocumentTooLargeError(DocumentError):
    """The file unpacks to more than the reader may use."""


class PasswordRequiredError(DocumentError):
    """The file is protected by a password."""


class ModelError(MolmoDesktopError):
    """There is no usable model."""

    exit_status = 4


class ModelNotFoundError(ModelError):
    """No model of that name or at that path."""


class ModelLoadError(ModelError):
    """llama.cpp refused the file; its own words are in ``detail``."""


class ProjectorMismatchError(ModelError):
    """The projector (mmproj) does not belong to the language model."""


class EngineError(MolmoDesktopError):
    """The engine failed while it worked."""

    exit_status = 5


class EngineCrashedError(EngineError):
    """The engine process ended by itself; ``data["exit_code"]`` says how."""


class RepeatedCrashError(EngineError):
    """A model or file ended the engine before and was not tried; ``data["crash_count"]`` times."""


class OutOfMemoryError(EngineError):
    """There is not enough memory for the model or the question."""


class ContextOverflowError(EngineError):
    """The prompt does not fit; ``data`` holds ``token_count`` and ``context_length``."""


class HistoryError(MolmoDesktopError):
    """The conversations' database cannot be opened or written."""


class SettingsError(MolmoDesktopError):
    """The settings cannot be written."""


class Cancelled(MolmoDesktopError):
    """The user asked for it; never shown as an error."""

    exit_status = 130

    def __init__(self, message: str = "Stopped.", **kwargs: Any) -> None:
        super().__init__(message, **kwargs)


_OWN_NAMES = ("self", "message", "hint", "detail")


def _subclasses(cls: type[MolmoDesktopError]) -> dict[str, type[MolmoDesktopError]]:
    found = {cls.__name__: cls}
    for child in cls.__subclasses__():
        found.update(_subclasses(child))
    return found


def error_from_dict(data: dict[str, Any]) -> MolmoDesktopError:
    """Rebuild an error that crossed a process; an unknown kind becomes the base class."""
    cls = _subclasses(MolmoDesktopError).get(str(data.get("kind")), MolmoDesktopError)
    more = data.get("data")
    more = more if isinstance(more, dict) else {}
    return cls(
        str(data.get("message", "Something went wrong.")),
        hint=str(data.get("hint", "")),
        detail=str(data.get("detail", "")),
        **{name: value for name, value in more.items() if name not in _OWN_NAMES},
    )
