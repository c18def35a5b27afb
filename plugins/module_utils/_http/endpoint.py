# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoint of a service and the settings of the connection to it."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from .._errors import InvalidOption

DEFAULT_ENDPOINT = "https://live.aliyuncs.com"
_LABEL = "[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"(?!.{{254}}){_LABEL}(\.{_LABEL})*\.?")
_MAX_SHOWN = 100  # characters


class Endpoint(NamedTuple):
    """A validated endpoint. `url` ends with a slash; `host` is the Host header as it is signed and sent."""

    url: str
    host: str
    is_loopback: bool = False

    @classmethod
    def parse(cls, text: str, allow_http: bool = False, name: str = "endpoint") -> Endpoint:
        """Parse a full URL such as `https://live.aliyuncs.com`; raises InvalidOption, which calls it by `name`.

        Plain http is refused unless `allow_http` is set or the host is a loopback address, because requests carry
        credentials.
        """
        try:
            parts = urlsplit(text)
            host_name, port = parts.hostname or "", parts.port
        except ValueError:
            raise _bad_endpoint(name, "is not a URL") from None
        if parts.scheme not in ("http", "https") or not host_name:
            raise _bad_endpoint(name, "is not a full URL")
        if not text.isprintable() or port == 0 or not (_HOST.fullmatch(host_name) or _is_address(host_name)):
            raise _bad_endpoint(name, "has no valid host in ASCII, or has an invalid port")
        if "@" in text or parts.path.strip("/") or parts.query or parts.fragment:
            raise _bad_endpoint(name, "holds more than scheme, host and port")
        if parts.scheme == "http" and not allow_http and not is_loopback(host_name):
            or_allow = ", or set allow_http if the way there is protected otherwise" if name == "endpoint" else ""
            raise InvalidOption(
                f"The {name} {_redact(text)} is plain http, over which access keys and signed calls can be read",
                f"Use https{or_allow}.",
            )
        host = f"[{host_name}]" if ":" in host_name else host_name
        if port and port != {"http": 80, "https": 443}[parts.scheme]:
            host = f"{host}:{port}"
        return cls(f"{parts.scheme}://{host}/", host, is_loopback(host_name))


class Settings(NamedTuple):
    """The settings of the connection to an endpoint.

    `connect_timeout` and `read_timeout` are in seconds; the latter is for each part of a response. `run_directory` is
    shared by the processes of one run, None if there is none. `refuse_private`: send nothing to an address that is not
    one of the public internet.
    """

    endpoint: Endpoint
    connect_timeout: float = 5
    read_timeout: float = 10
    validate_certs: bool = True
    ca_path: str | None = None
    use_proxies: bool = True
    run_directory: str | None = None
    refuse_private: bool = False


def is_loopback(host: str) -> bool:
    """Return whether a host name or address stands for this machine itself."""
    address = _parse_address(host)
    return address.is_loopback if address else host == "localhost"


def is_private(host: str) -> bool:
    """Return whether an address is not one of the public internet; False for a name."""
    address = _parse_address(host.partition("%")[0])
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address.sixtofour or address
    return host == "localhost" if address is None else not address.is_global or address.is_multicast


def _bad_endpoint(name: str, why: str) -> InvalidOption:
    """Return an error that does not quote the URL, which may contain a secret."""
    return InvalidOption(f"The {name} {why}", f"Give it as scheme, host and port, such as {DEFAULT_ENDPOINT}.")


def _redact(text: str) -> str:
    """Return a URL for a message, cut to a readable length and without user and password before an @."""
    redacted = re.sub(r"(?s).*@", "...@", text)
    redacted = "".join(character if character.isprintable() else "?" for character in redacted)
    return redacted if len(redacted) <= _MAX_SHOWN else f"{redacted[:_MAX_SHOWN]}..."


def _is_address(host: str) -> bool:
    return ":" in host and "%" not in host and _parse_address(host) is not None


def _parse_address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
