# SPDX-License-Identifier: Apache-2.0
"""Turns rows of the database into the records that the store hands out."""

from __future__ import annotations

import sqlite3

from molmo_desktop.store.records import AttachmentRecord, ConversationSummary, MessageRecord
from molmo_desktop.store.words import from_json, path_from_column, paths_from_json


def attachment_names(
    connection: sqlite3.Connection, conversation_id: int | None = None
) -> dict[int, tuple[str, ...]]:
    """Return the file names of one conversation or of all, by conversation."""
    names: dict[int, tuple[str, ...]] = {}
    for row in connection.execute(
        "SELECT conversation_id, path FROM attachments "
        "WHERE ?1 IS NULL OR conversation_id = ?1 ORDER BY id",
        (conversation_id,),
    ):
        key = row["conversation_id"]
        names[key] = (*names.get(key, ()), path_from_column(row["path"]).name)
    return names


def summary_from(row: sqlite3.Row, names: dict[int, tuple[str, ...]]) -> ConversationSummary:
    """Return a row of ``conversations`` as a record."""
    return ConversationSummary(
        id=row["id"],
        title=row["title"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        attachment_names=names.get(row["id"], ()),
        is_private=bool(row["is_private"]),
    )


def attachment_from(row: sqlite3.Row) -> AttachmentRecord:
    """Return a row of ``attachments`` as a record."""
    return AttachmentRecord(
        id=row["id"],
        conversation_id=row["conversation_id"],
        path=path_from_column(row["path"]),
        content_hash=row["content_hash"],
        format=row["format"],
        page_count=row["page_count"],
        is_picture=bool(row["is_picture"]),
        added_at=row["added_at"],
    )


def message_from(row: sqlite3.Row) -> MessageRecord:
    """Return a row of ``messages`` as a record; what cannot be read in it is left out."""
    return MessageRecord(
        id=row["id"],
        conversation_id=row["conversation_id"],
        role=row["role"],
        text=row["text"],
        status=row["status"],
        created_at=row["created_at"],
        attachments=paths_from_json(row["attachments"]),
        question_id=row["question_id"],
        model_name=row["model_name"],
        answer=from_json(row["answer"]),
        error=from_json(row["error"]),
    )
