# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Choose streams by the option `query`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...module_utils._api.models import Stream
from ...module_utils._errors import InvalidOption
from ...module_utils._util.query import Query
from .plan import FIELDS, Row, is_variable_name, stream_of_row


def compile_query(expression: str | None) -> Callable[[dict[Stream, Row]], dict[Stream, Row]]:
    """Return a function that applies a JMESPath query to the list of streams.

    The query may leave out fields and add others, but not the names that identify a stream. Raises InvalidOption for
    an invalid query at once, and for an unusable result when the function is called.
    """
    if not expression:
        return lambda streams: streams
    query = Query("query", expression)

    def select(streams: dict[Stream, Row]) -> dict[Stream, Row]:
        rows = query.search(list(streams.values()))
        chosen: dict[Any, Any] = {stream_of_row(row): row for row in rows} if isinstance(rows, list) else {None: rows}
        if not chosen.keys() <= streams.keys():
            raise InvalidOption(
                "The option query does not give a list of streams",
                "Have it choose among the streams, and keep domain_name, app_name and stream_name.",
            )
        _check_fields(rows)
        return {
            stream: {**{name: row[name] for name in FIELDS}, **chosen[stream]}
            for stream, row in streams.items()
            if stream in chosen
        }

    return select


def _check_fields(rows: list[Row]) -> None:
    for name in {str(name) for row in rows for name in row}:
        if not is_variable_name(name):
            raise InvalidOption(
                f"The option query gives streams the field {name}, which cannot be a variable of a host",
                "Call it otherwise, with letters, digits and underscores.",
            )
