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
from .provider import CachedProvider, Context, disabled, parsed

_PROGRAM_SECONDS = 60


class ExternalProvider:
    """Keys that a program of the user's prints, as the CLI's mode `External` has it. It must be allowed to run."""

    def __init__(self, context: Context, command: str, where: str) -> None:
        if context.is_set("ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS"):
            raise disabled("A program", where)
        allowed = context.options.get("allow_external_process")
        if not (context.is_set("APSARAVIDEO_ALLOW_EXTERNAL_PROCESS") if allowed is None else allowed):
            raise CredentialsError(
                f"A program would give the keys of {where}, and it is not allowed to run",
                "Where you trust it, set allow_external_process in the task, apsaravideo_allow_external_process with "
                "-e, or APSARAVIDEO_ALLOW_EXTERNAL_PROCESS in the environment; other variables do not count.",
            )
        self._context = context
        self._command = command
        self._what = f"the program of {where}"

    def keys(self, expired: AccessKey | None = None) -> AccessKey | None:
        """The keys."""
        return CachedProvider(self._context, ("program", self._command), self._issue).keys(expired)

    def _issue(self) -> AccessKey:
        content = parsed(self._output(), self._what)
        fields = content if isinstance(content, dict) else {}
        key_id, secret, token, end = (
            fields.get(name) or None for name in ("access_key_id", "access_key_secret", "sts_token", "expiration")
        )
        wanted = [key_id, secret, token] if fields.get("mode") == "StsToken" or token else [key_id, secret]
        if not all(isinstance(value, str) for value in [*wanted, end or ""]):
            raise self._unusable("it printed no keys", "Have it print the fields that the CLI's mode External needs.")
        renew_at = compute_renewal_time(str(end), self._what, self._context.clock.now()) if end else math.inf
        return AccessKey(str(key_id), str(secret), token, self._what, renew_at=renew_at)

    def _output(self) -> bytes:
        """What it prints; what it says on its error output may hold secrets and is not read."""
        try:
            # There is no module here whose run_command could be called, and that has no time-out.
            with subprocess.Popen(  # pylint: disable=ansible-bad-function
                shlex.split(self._command),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=dict(self._context.environ),
                start_new_session=True,
            ) as program:
                try:
                    output, _errors = program.communicate(timeout=_PROGRAM_SECONDS)
                except subprocess.TimeoutExpired:
                    os.killpg(program.pid, signal.SIGKILL)
                    raise self._unusable(f"it did not end within {_PROGRAM_SECONDS} seconds", "Look at it.") from None
        except OSError as error:
            raise self._unusable(f"it cannot be run: {error.strerror}", "Correct process_command.") from None
        except ValueError:
            raise self._unusable("process_command is no command", "Correct process_command.") from None
        if program.returncode:
            raise self._unusable(f"it ended with status {program.returncode}", "Run it by hand to see why.")
        return output

    def _unusable(self, why: str, advice: str) -> CredentialsError:
        return CredentialsError(f"No keys from {self._what}: {why}", advice)
