# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS contexts. Each is created once per process, because reading the CA certificates takes about 25 ms."""

from __future__ import annotations

import os
import ssl
from contextlib import suppress
from functools import cache
from typing import Any

from .._errors import EndpointUnusable
from .._util.regular_file import require_file
from .endpoint import Settings

with suppress(ImportError):  # The transport records the missing library.
    from requests.certs import where as requests_ca_bundle  # type: ignore[attr-defined]
    from urllib3 import __version__ as urllib3_version  # type: ignore[attr-defined]


def tls_context(settings: Settings) -> ssl.SSLContext:
    """Return the TLS context for these settings; raises EndpointUnusable if the CA certificates cannot be read."""
    if not settings.validate_certs:
        return _unverified_context()
    try:
        return _verified_context(settings.ca_path or _default_ca_path())
    except OSError as error:
        raise EndpointUnusable(
            f"the file of CA certificates cannot be used: {error.strerror or error}",
            "Check the option ca_path, or REQUESTS_CA_BUNDLE on the machine that runs the task.",
        ) from None


def load_default_certificates() -> None:
    """Read the default CA certificates into the cache; raises OSError."""
    _verified_context(_default_ca_path())


def _default_ca_path() -> str:
    """Return the path from which requests would read the CA certificates."""
    return os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or requests_ca_bundle()


@cache
def _verified_context(ca_path: str) -> ssl.SSLContext:
    is_directory = os.path.isdir(ca_path)
    if not is_directory:
        require_file(ca_path)
    context = ssl.create_default_context(
        cafile=None if is_directory else ca_path, capath=ca_path if is_directory else None
    )
    if ssl.HAS_NEVER_CHECK_COMMON_NAME:
        context.hostname_checks_common_name = False
    if urllib3_version.startswith("1."):
        context.check_hostname = False  # It compares names itself, and passes no IP address to the context.
    return _restrict_protocols(context)


def require_alternative_name(sock: Any) -> None:
    """Raise SSLCertVerificationError if the peer's certificate has no subject alternative name.

    urllib3 1 falls back to the subject's common name, which authorities need not verify.
    """
    if not isinstance(sock, ssl.SSLSocket) or sock.context.verify_mode == ssl.CERT_NONE:
        return
    names = (sock.getpeercert() or {}).get("subjectAltName", ())
    if not any(row[0] in ("DNS", "IP Address") for row in names):
        raise ssl.SSLCertVerificationError("the certificate has no alternative name of a host")


@cache
def _unverified_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return _restrict_protocols(context)


def _restrict_protocols(context: ssl.SSLContext) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context
