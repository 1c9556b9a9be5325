# SPDX-License-Identifier: Apache-2.0
"""Thin Qt adapters: blocking calls below become signals."""
