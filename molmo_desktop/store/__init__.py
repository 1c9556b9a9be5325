# SPDX-License-Identifier: Apache-2.0
"""Conversations, attachments, answers and the energy ledger, in SQLite."""
