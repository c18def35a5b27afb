# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of the API, page by page, and checks of what a response must contain."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from .._errors import ResponseLost
from .._util import strict_json
from .._util.libraries import MISSING_LIBRARIES
from . import response
from .operations import Operation
from .traffic import ApiResponse

try:
    import jmespath
except ImportError as missing:
    MISSING_LIBRARIES["jmespath"] = missing


_MAX_PAGES = 10_000
_MAX_READS = 5  # of a list that moves while it is read
_MAX_LIST_SIZE = 256 * 1024 * 1024  # bytes of memory, about, for all pages of one list
_OBJECT_SIZE = 500  # bytes that an object takes beside its texts

_Call = Callable[[Operation, Mapping[str, str]], ApiResponse]
_Convert = Callable[[dict[str, Any]], Any]


def read_list(call: _Call, operation: Operation, parameters: Mapping[str, str], convert: _Convert) -> list[Any]:
    """Return every listed object of an operation, each converted, page by page to the end.

    A list that moved while it was read is read again. Raises ResponseLost where it never holds as many objects as it
    says, where a page does not hold what it must, or where there is no end to them: a part of a list would be taken for
    the whole.
    """
    for _read in range(_MAX_READS):
        found = _read_pages(call, operation, parameters, convert)
        if found is not None:
            return found
    raise unusable_list_error(
        operation.describe(parameters),
        operation,
        f"its pages hold fewer objects than they say, in each of {_MAX_READS} readings",
    )


def _read_pages(
    call: _Call, operation: Operation, parameters: Mapping[str, str], convert: _Convert
) -> list[Any] | None:
    """Return the objects of all pages; None where some are missing.

    Where objects are removed meanwhile, those that follow move to pages that have been read, and the total that each
    page tells goes down. Objects that are added move nothing out of reach.
    """
    subject = operation.describe(parameters)
    found: list[Any] = []
    previous: list[Any] = []
    size = total = 0
    for number in range(1, _MAX_PAGES + 1):
        page = {operation.page: str(number), operation.page_size: str(operation.max_page_size)}
        page_response = call(operation, {**parameters, **{name: value for name, value in page.items() if name}})
        rows = find_objects(operation, page_response.content) or []
        if rows and rows == previous:
            raise unusable_list_error(subject, operation, f"page {number} comes twice")
        found += map(convert, rows)
        earlier, total = total, parse_total(page_response.content) or 0
        if total < earlier:
            return None
        if is_last_page(operation, page_response.content, number, len(rows)):
            return found if len(found) >= total else None
        previous = rows
        size += page_response.size + len(rows) * _OBJECT_SIZE
        if size > (operation.max_list_size or _MAX_LIST_SIZE):
            break
    raise unusable_list_error(subject, operation, f"page {number} is not the last, and there is no end to them")


def require_usable(operation: Operation, parameters: Mapping[str, str], content: dict[str, Any], subject: str) -> None:
    """Raise ResponseLost for a response that lacks what it must hold, which must not be taken for "nothing"."""
    if operation.items and find_objects(operation, content) is None:
        raise unusable_list_error(
            subject, operation, f"page {parameters.get(operation.page or '', '1')} is not a list", content
        )
    if not _has_field(operation, content):
        raise _unusable_error(
            f"{subject} got no usable response: it does not tell {operation.field}", operation, content
        )


def _has_field(operation: Operation, content: dict[str, Any]) -> bool:
    if not operation.field:
        return True
    value = content.get(operation.field, "")
    if operation.values:
        return str(value).lower() in operation.values
    return value is None or isinstance(value, dict)


def find_objects(operation: Operation, content: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Return the listed objects of a page; None for anything else than a list, unless it says that it has none."""
    rows = jmespath.search(operation.items, content)
    if rows is None:
        # An operation without pages tells no total, and may leave an empty list out of its object.
        is_empty = parse_total(content) == 0 if operation.page else _has_empty_object(operation, content)
        return [] if is_empty else None
    if not isinstance(rows, list):
        return None
    found = [row for row in rows if row is not None or operation.names]
    return found if all(_is_object(row, operation.names) for row in found) else None


def _has_empty_object(operation: Operation, content: dict[str, Any]) -> bool:
    return content.get((operation.items or "").partition(".")[0]) == {}


def _is_object(row: Any, names: Iterable[str]) -> bool:
    return isinstance(row, dict) and all(isinstance(row.get(name), str) and row[name] for name in names)


def parse_total(content: dict[str, Any]) -> int | None:
    """Return the number of objects on all pages, None if the response does not contain it."""
    return strict_json.parse_integer(content.get("TotalNum", content.get("TotalCount")))


def is_last_page(operation: Operation, content: dict[str, Any], number: int, count: int) -> bool:
    """Return whether a page of `count` objects is the last; without a number of pages, one that is not full is."""
    if not count or not operation.page:
        return True
    last = strict_json.parse_integer(content.get("TotalPage"))
    if last is not None:
        return number >= last
    size = strict_json.parse_integer(content.get("PageSize")) or operation.max_page_size
    return count < min(size, operation.max_page_size)


def unusable_list_error(
    subject: str, operation: Operation, why: str, content: Mapping[str, Any] = MappingProxyType({})
) -> ResponseLost:
    return _unusable_error(f"{subject} got no usable list: {why}", operation, content)


def _unusable_error(happened: str, operation: Operation, content: Mapping[str, Any]) -> ResponseLost:
    return ResponseLost(
        happened,
        "Check the option endpoint and any proxy in between, then run again.",
        request_id=response.get_request_id(content) or None,
        action=operation.action,
    )
