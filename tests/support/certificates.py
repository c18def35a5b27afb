# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates for tests, made with the openssl command."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

NAMES = "DNS:localhost,IP:127.0.0.1,IP:::1"
_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


@dataclass(frozen=True)
class Certificate:
    """A certificate and its private key, as paths of files."""

    certificate: str
    key: str


class Authority:
    """A certificate authority for tests; clients trust it by its `ca_path`.

    Clients of one authority do not trust the certificates of another.
    """

    def __init__(self, directory: Path, name: str = "authority") -> None:
        self._directory = directory
        self._own = Certificate(str(directory / f"{name}.crt"), str(directory / f"{name}.key"))
        self.ca_path = self._own.certificate
        subject = ("-subj", f"/CN={name}", "-days", "2", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        _openssl("req", "-x509", *_NEW_KEY, *subject, "-keyout", self._own.key, "-out", self._own.certificate)

    def context(self, names: str) -> ssl.SSLContext:
        """Return the TLS context of a server with a certificate for these `names`."""
        issued = self.issue(names=names)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(issued.certificate, issued.key)
        return context

    def issue(self, name: str = "server", names: str = NAMES, days: int = 2) -> Certificate:
        """Issue a server certificate for `names` (in openssl's notation), already expired if `days` is negative.

        Without `names`, only the subject of the certificate names the host.
        """
        made = Certificate(str(self._directory / f"{name}.crt"), str(self._directory / f"{name}.key"))
        request, extensions = self._directory / f"{name}.csr", self._directory / f"{name}.ext"
        alternative = f"subjectAltName={names}\n" if names else ""
        extensions.write_text(f"{alternative}extendedKeyUsage=serverAuth\n", encoding="ascii")
        _openssl("req", "-new", *_NEW_KEY, "-subj", f"/CN={name}", "-keyout", made.key, "-out", str(request))
        signer = ("-CA", self._own.certificate, "-CAkey", self._own.key, "-CAcreateserial", "-days", str(days))
        _openssl("x509", "-req", "-in", str(request), *signer, "-extfile", str(extensions), "-out", made.certificate)
        return made


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
