# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the beginning of a file at an address that somebody else named.

Nothing of the account is sent along: no signature, no credentials, no cookie. Redirects are not followed.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from .._errors import InvalidOption
from .endpoint import Endpoint, Settings, is_private
from .transport import PrivateAddress, Transport

BEGINNING_SIZE = 4096  # bytes
_CONTENT_RANGE = re.compile(r"bytes (?:\d{1,18}-\d{1,18}|\*)/(\d{1,18})", re.ASCII)
_NUMBER = re.compile(r"\d{1,18}", re.ASCII)
_WHOLE, _PARTIAL = 200, (206, 416)  # the statuses of responses that tell the size of the file


class Beginning(NamedTuple):
    """The response to a request for the first bytes of a file; `size` is that of the whole file, None if not told."""

    status: int
    content: bytes
    size: int | None


def read_beginning(url: str, settings: Settings) -> Beginning:
    """Return the first bytes of a file, read with these settings of the connection, but without their endpoint.

    Raises LiveError: InvalidOption for anything but http and https, PrivateAddress for an address that the settings
    refuse, and otherwise as `Transport.send`.
    """
    endpoint, target = _parse(url)
    host = urlsplit(endpoint.url).hostname or ""
    if settings.refuse_private and is_private(host):
        raise PrivateAddress(f"{host} is a private address", "Allow such addresses if they are expected.")
    transport = Transport(settings._replace(endpoint=endpoint, run_directory=None))
    try:
        response = transport.send(
            "GET",
            target,
            {"range": f"bytes=0-{BEGINNING_SIZE - 1}", "accept-encoding": "identity"},
            max_size=BEGINNING_SIZE,
        )
    finally:
        transport.close()
    return Beginning(response.status, response.body, _read_size(response.status, response.headers))


def _parse(url: str) -> tuple[Endpoint, str]:
    try:
        parts = urlsplit(url)
        endpoint = Endpoint.parse(f"{parts.scheme}://{parts.netloc}", allow_http=True, name="address of the file")
    except ValueError:
        raise InvalidOption("The address of the file is not a URL", "Report it to the support of the cloud.") from None
    query = f"?{quote(parts.query, safe='=&%+~-._')}" if parts.query else ""
    return endpoint, quote(parts.path.lstrip("/"), safe="/%:@!$&'()*+,;=~-._") + query


def _read_size(status: int, headers: dict[str, str]) -> int | None:
    """Return the size of the whole file from the headers of a response."""
    if status in _PARTIAL:
        found = _CONTENT_RANGE.fullmatch(headers.get("content-range", ""))
        return int(found[1]) if found else None
    length = headers.get("content-length", "")
    return int(length) if status == _WHOLE and _NUMBER.fullmatch(length) else None
