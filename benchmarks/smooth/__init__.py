# SPDX-License-Identifier: Apache-2.0
"""Parts of ``smoothness.py``: first paint, gaps of an event loop, what a user does."""
