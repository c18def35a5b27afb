# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the API is reached, and how: what is taken for an endpoint, and what is refused before keys are sent to it."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from .._errors import InvalidOption

DEFAULT_ENDPOINT = "https://live.aliyuncs.com"
_LABEL = "[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"(?!.{{254}}){_LABEL}(\.{_LABEL})*\.?")
_LONGEST_SHOWN = 100


class Endpoint(NamedTuple):
    """Where the API is reached. `host` is the Host header as it is signed and sent."""

    url: str
    host: str
    loopback: bool = False

    @classmethod
    def parse(cls, text: str, allow_http: bool = False, name: str = "endpoint") -> Endpoint:
        """From a full URL such as `https://live.aliyuncs.com`; raises InvalidOption, which calls it by `name`.

        Keys travel with each call, so plain http is taken only for loopback addresses, or with `allow_http`.
        """
        try:
            parts = urlsplit(text)
            host_name, port = parts.hostname or "", parts.port
        except ValueError:
            raise _bad_endpoint(name, "is no URL") from None
        if parts.scheme not in ("http", "https") or not host_name:
            raise _bad_endpoint(name, "is no full URL")
        if not text.isprintable() or port == 0 or not (_HOST.fullmatch(host_name) or _is_address(host_name)):
            raise _bad_endpoint(name, "names no host, or none in ASCII, or no port that there can be")
        if "@" in text or parts.path.strip("/") or parts.query or parts.fragment:
            raise _bad_endpoint(name, "holds more than scheme, host and port")
        if parts.scheme == "http" and not allow_http and not is_loopback(host_name):
            way_out = ", or set allow_http if the way there is protected otherwise" if name == "endpoint" else ""
            raise InvalidOption(
                f"The {name} {_shown(text)} is plain http, over which keys and signed calls can be read",
                f"Use https{way_out}.",
            )
        host = f"[{host_name}]" if ":" in host_name else host_name
        if port and port != {"http": 80, "https": 443}[parts.scheme]:
            host = f"{host}:{port}"
        return cls(f"{parts.scheme}://{host}/", host, is_loopback(host_name))


def _bad_endpoint(name: str, why: str) -> InvalidOption:
    """Return an error that does not show the text: it may be a secret, or hold one."""
    return InvalidOption(f"The {name} {why}", f"Give it as scheme, host and port, such as {DEFAULT_ENDPOINT}.")


def _shown(text: str) -> str:
    """An endpoint for a message: without what stands before an @, which may be a password, and not at any length."""
    shown = re.sub(r"(?s).*@", "...@", text)
    shown = "".join(letter if letter.isprintable() else "?" for letter in shown)
    return shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]}..."


def _is_address(host: str) -> bool:
    return ":" in host and "%" not in host and _address(host) is not None


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's own."""
    address = _address(host)
    return address.is_loopback if address else host == "localhost"


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


class Settings(NamedTuple):
    """The way to the endpoint; seconds for connecting and for each part of an answer.

    `run_directory` is one that only the processes of the same run use, None where there is none.
    """

    endpoint: Endpoint
    connect_timeout: float = 5
    read_timeout: float = 10
    validate_certs: bool = True
    ca_path: str | None = None
    use_proxies: bool = True
    run_directory: str | None = None
