# SPDX-License-Identifier: Apache-2.0
from molmo_desktop.core.errors import (
    ContextOverflowError,
    MolmoDesktopError,
    PasswordRequiredError,
    error_from_dict,
)


def test_an_error_survives_the_way_between_processes():
    error = ContextOverflowError("Too long.", hint="Shorten it.", token_count=9, context_length=4)
    copy = error_from_dict(error.to_dict())
    assert isinstance(copy, ContextOverflowError)
    assert (copy.message, copy.hint, copy.data) == (error.message, error.hint, error.data)


def test_an_unknown_kind_becomes_the_base_class():
    copy = error_from_dict({"kind": "NoSuchError", "message": "m"})
    assert type(copy) is MolmoDesktopError


def test_errors_carry_their_exit_status():
    assert PasswordRequiredError("x").exit_status == 3
    assert ContextOverflowError("x").exit_status == 5
