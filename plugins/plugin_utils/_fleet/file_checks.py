# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of recorded files by their addresses, and by ffprobe."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from ...module_utils._api.live import Live
from ...module_utils._domain.file_check import judge_beginning, judge_duration
from ...module_utils._domain.verification import OK, RecordedFile
from ...module_utils._errors import LiveError, ParentExited, printable
from ...module_utils._http.endpoint import Settings
from ...module_utils._http.file_reader import read_beginning
from ...module_utils._util.clock import Clock

PROBE_SECONDS = 60.0
_PROTOCOLS = "http,https,httpproxy,tcp,tls,crypto"  # no file and no pipe of this machine
_MAX_NOTE = 200
_PROXIES = ("http_proxy", "https_proxy", "no_proxy")


class FileChecker:
    """Checks the files of streams, one after another, in threads of the pool."""

    def __init__(self, options: Mapping[str, Any], clock: Clock) -> None:
        self._allow_private = options["allow_private_addresses"]
        self._probe_path = options["ffprobe_path"] if options["ffprobe"] else None
        self._tolerance = options["tolerance"]
        self._clock = clock

    def check(self, files: Sequence[RecordedFile], live: Live) -> list[RecordedFile]:
        """Return files with the statuses that their addresses show; one without an address stays as it is."""
        account = live.client.account.settings
        settings = account._replace(refuse_private=not (self._allow_private or account.endpoint.is_loopback))
        return [self._check_one(file, settings) for file in files]

    def _check_one(self, file: RecordedFile, settings: Settings) -> RecordedFile:
        self._clock.check()
        if not file.url or not file.is_usable:
            return file
        try:
            response = read_beginning(file.url, settings)
        except ParentExited:
            raise
        except LiveError as error:
            return file._replace(note=error.happened[:_MAX_NOTE])
        found = judge_beginning(file, response.status, response.content, response.size)
        return self._probe(found, settings) if self._probe_path and found.status == OK else found

    def _probe(self, file: RecordedFile, settings: Settings) -> RecordedFile:
        """Return the file as ffprobe finds it; where that fails, with a note."""
        command = [str(self._probe_path), *build_arguments(str(file.url), settings)]
        environ = {name: value for name, value in os.environ.items() if name.lower() in _PROXIES or name == "PATH"}
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=PROBE_SECONDS,
                env=environ,
                check=True,
            )
            seconds = float(json.loads(done.stdout[:65536])["format"]["duration"])
        except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError) as error:
            return file._replace(note=printable(f"ffprobe told no duration ({type(error).__name__})"))
        return judge_duration(file, seconds, self._tolerance)


def build_arguments(url: str, settings: Settings) -> list[str]:
    """Return the arguments of ffprobe for an address, which begins with http."""
    tls = []
    if urlsplit(url).scheme == "https":
        tls = [
            "-tls_verify",
            str(int(settings.validate_certs)),
            *(["-ca_file", settings.ca_path] if settings.ca_path else []),
        ]
    output = ["-v", "error", "-show_entries", "format=duration", "-of", "json"]
    return [*output, "-protocol_whitelist", _PROTOCOLS, *tls, "-i", url]
