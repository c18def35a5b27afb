# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The address of the server that several machines share slots on."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from .._errors import InvalidOption

_SCHEMES = ("redis", "rediss", "unix")


class StoreAddress(NamedTuple):
    """The URL of a Redis or Valkey server, and what is needed to connect to it.

    `name` is its host and port, or the path of its socket, which may be shown; the URL may contain a password.
    """

    url: str
    name: str
    password: str | None = None
    validate_certs: bool = True
    ca_path: str | None = None

    @classmethod
    def parse(cls, url: str, password: str | None, validate_certs: bool, ca_path: str | None) -> StoreAddress:
        """Return the address of a URL as the library `redis` reads it; raises InvalidOption, which never quotes it.

        `password` is for a URL without one.
        """
        try:
            parts = urlsplit(url)
            name = _make_name(parts)
        except ValueError:
            raise _invalid_url("is not a URL") from None
        if not url.isprintable() or parts.scheme not in _SCHEMES or not name:
            raise _invalid_url("is not the URL of a server or a socket")
        return cls(url, name, None if parts.password else password, validate_certs, ca_path)

    def secrets(self) -> list[str]:
        """Return the texts that must never be shown."""
        in_url = urlsplit(self.url).password or ""
        return [text for text in (in_url, unquote(in_url), self.password) if text]

    def connection_options(self) -> dict[str, Any]:
        """Return the library's options that are not in the URL."""
        options: dict[str, Any] = {"password": self.password} if self.password else {}
        if self.url.startswith("rediss:"):
            options["ssl_cert_reqs"] = "required" if self.validate_certs else "none"
            options["ssl_check_hostname"] = self.validate_certs
            if self.ca_path:
                options["ssl_ca_certs"] = self.ca_path
        return options


def _make_name(parts: SplitResult) -> str:
    if parts.scheme == "unix":
        return unquote(parts.path)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return f"{host}:{parts.port or 6379}" if host else ""


def _invalid_url(reason: str) -> InvalidOption:
    return InvalidOption(
        f"The rate_limit_store {reason}",
        "Give redis://HOST:PORT/DATABASE, rediss://HOST:PORT/DATABASE or unix:///PATH, and special characters of a "
        "password percent-encoded.",
    )
