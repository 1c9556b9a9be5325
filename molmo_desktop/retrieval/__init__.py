# SPDX-License-Identifier: Apache-2.0
"""Passages, full-text search, and the evidence that an answer rests on."""
