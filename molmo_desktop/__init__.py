# SPDX-License-Identifier: Apache-2.0
"""Molmo Desktop: ask questions about your own pictures and documents, on your own machine."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("molmo-desktop")
except PackageNotFoundError:  # running from a checkout that was never installed
    __version__ = "0.0.0+unknown"
