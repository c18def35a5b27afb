# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates for tests, issued by `trustme`."""

from __future__ import annotations

import ssl
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization


class Authority:
    """A certificate authority for tests; clients trust it by its `ca_path`.

    Clients of one authority do not trust the certificates of another.
    """

    def __init__(self, directory: Path, name: str = "authority") -> None:
        self._pem = directory / f"{name}-issued.pem"
        self._ca = trustme.CA(organization_name=name)
        self.ca_path = str(directory / f"{name}.crt")
        self._ca.cert_pem.write_to_path(self.ca_path)

    def issue(self, *names: str, days: int = 2) -> str:
        """Issue a server certificate for host names and addresses, already expired if `days` is negative.

        The result is the path of a file with the private key and the certificate, valid until the next call.
        """
        leaf = self._ca.issue_cert(*names, not_after=datetime.now(timezone.utc) + timedelta(days=days))
        leaf.private_key_and_cert_chain_pem.write_to_path(self._pem)
        return str(self._pem)

    def issue_without_names(self, host: str, uri: str = "") -> str:
        """Issue a certificate that names `host` only in its subject, and `uri`, if given, as an alternative name."""
        leaf = self._ca.issue_cert(common_name=host)
        ordinary = x509.load_pem_x509_certificate(leaf.cert_chain_pems[0].bytes())
        builder = x509.CertificateBuilder(
            ordinary.issuer,
            ordinary.subject,
            ordinary.public_key(),
            x509.random_serial_number(),
            datetime.now(timezone.utc) - timedelta(days=1),
            datetime.now(timezone.utc) + timedelta(days=1),
            [extension for extension in ordinary.extensions if extension.oid != x509.SubjectAlternativeName.oid],
        )
        if uri:
            names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)])
            builder = builder.add_extension(names, critical=False)
        key: Any = serialization.load_pem_private_key(self._ca.private_key_pem.bytes(), None)
        certificate = builder.sign(key, hashes.SHA256())
        self._pem.write_bytes(leaf.private_key_pem.bytes() + certificate.public_bytes(serialization.Encoding.PEM))
        return str(self._pem)

    def context(self, *names: str) -> ssl.SSLContext:
        """Return the TLS context of a server with a certificate for these host names."""
        return server_context(self.issue(*names))


def server_context(path: str) -> ssl.SSLContext:
    """Return the TLS context of a server with the private key and the certificate in a file."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
