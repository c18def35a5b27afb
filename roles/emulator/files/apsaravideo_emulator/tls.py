# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS for the listener: given files, or a certificate made on the spot with the openssl command."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess

ALTERNATIVE_NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"


class TlsError(Exception):
    """TLS cannot be set up; the message says why."""


def context(certificate: str, key: str) -> ssl.SSLContext:
    """A server context; TlsError when the files do not fit."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        made.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise TlsError(f"cannot use the certificate {certificate} with the key {key}: {error}") from None
    return made


def generate(directory: str) -> tuple[str, str]:
    """A self-signed certificate for localhost in ``directory``: paths of certificate (also the CA) and key.

    One that is there already and good for another day is used again, so that clients of a restarted program know it.
    """
    openssl = shutil.which("openssl")
    if openssl is None:
        raise TlsError("--tls-generate needs the openssl command, which is not installed")
    os.makedirs(directory, exist_ok=True)
    certificate, key = os.path.join(directory, "emulator.crt"), os.path.join(directory, "emulator.key")
    if os.path.exists(certificate) and os.path.exists(key):
        lasting = [openssl, "x509", "-noout", "-checkend", "86400", "-in", certificate]
        if subprocess.run(lasting, capture_output=True, check=False).returncode == 0:
            return certificate, key
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"]
    command += ["-subj", "/CN=localhost", "-addext", ALTERNATIVE_NAMES, "-keyout", key, "-out", certificate]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise TlsError(f"openssl failed: {result.stderr.strip()}")
    return certificate, key
