# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials from an external program."""

from __future__ import annotations

import math
import os
import shlex
import signal
import subprocess

from .._api.access_key import AccessKey, compute_renewal_time
from .._errors import CredentialsError
from .provider import CachedProvider, Context, disabled_error, load_json

_TIMEOUT = 60  # seconds


class ExternalProvider:
    """A provider of credentials that a program prints, as in the mode `External` of the CLI.

    `origin` names the profile that has the command, for error messages.
    """

    def __init__(self, context: Context, command: str, origin: str) -> None:
        """Raise CredentialsError unless the user allows programs to run."""
        if context.is_true("ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS"):
            raise disabled_error("A program", origin)
        allowed = context.options.get("allow_external_process")
        if not (context.is_true("APSARAVIDEO_ALLOW_EXTERNAL_PROCESS") if allowed is None else allowed):
            raise CredentialsError(
                f"A program would give the credentials of {origin}, and it is not allowed to run",
                "Where you trust it, set allow_external_process in the task, apsaravideo_allow_external_process with "
                "-e, or APSARAVIDEO_ALLOW_EXTERNAL_PROCESS in the environment; other variables do not count.",
            )
        self._context = context
        self._command = command
        self._name = f"the program of {origin}"

    def get_access_key(self, expired: AccessKey | None = None) -> AccessKey | None:
        """Return the access key that the program prints."""
        return CachedProvider(self._context, ("program", self._command), self._fetch).get_access_key(expired)

    def _fetch(self) -> AccessKey:
        content = load_json(self._run(), self._name)
        fields = content if isinstance(content, dict) else {}
        key_id, secret, token, expiration = (
            fields.get(name) or None for name in ("access_key_id", "access_key_secret", "sts_token", "expiration")
        )
        required = [key_id, secret, token] if fields.get("mode") == "StsToken" or token else [key_id, secret]
        if not all(isinstance(value, str) for value in [*required, expiration or ""]):
            raise self._error(
                "it printed no credentials", "Have it print the fields that the CLI's mode External needs."
            )
        now = self._context.clock.now()
        renew_at = compute_renewal_time(str(expiration), self._name, now) if expiration else math.inf
        return AccessKey(str(key_id), str(secret), token, self._name, renew_at=renew_at)

    def _run(self) -> bytes:
        """Run the program and return its output; its error output may contain secrets and is discarded."""
        try:
            # The run_command of a module has no timeout, and there is no module object here.
            with subprocess.Popen(  # pylint: disable=ansible-bad-function
                shlex.split(self._command),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=dict(self._context.environ),
                start_new_session=True,
            ) as program:
                try:
                    output, _errors = program.communicate(timeout=_TIMEOUT)
                except subprocess.TimeoutExpired:
                    os.killpg(program.pid, signal.SIGKILL)
                    raise self._error(
                        f"it did not end within {_TIMEOUT} seconds", "Run it by hand to see why."
                    ) from None
        except OSError as error:
            raise self._error(f"it cannot be run: {error.strerror}", "Check the path in process_command.") from None
        except ValueError:
            raise self._error(
                "process_command is not a valid command line", "Check its quotes and backslashes."
            ) from None
        if program.returncode:
            raise self._error(f"it ended with status {program.returncode}", "Run it by hand to see why.")
        return output

    def _error(self, reason: str, advice: str) -> CredentialsError:
        return CredentialsError(f"No credentials from {self._name}: {reason}", advice)
