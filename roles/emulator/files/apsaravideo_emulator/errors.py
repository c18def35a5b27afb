# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors as the gateway and the product report them.

Two generations of the product's error table are in circulation. An operation names the *condition* (for instance "the
stream is not being pushed"); `ErrorTable` translates it into the code and HTTP status of one generation.
"""

from __future__ import annotations

from typing import Any


class GatewayError(Exception):
    """A failure that is reported to the client with an error body.

    Clients decide by `code`; `http_status` is the status of the response, `details` an optional object sent as
    `AccessDeniedDetail`, and `retry_after` an optional number of milliseconds for the retry header.
    """

    def __init__(
        self,
        code: str,
        http_status: int,
        message: str,
        details: dict[str, Any] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.http_status = http_status
        self.message = message
        self.details = details
        self.retry_after = retry_after


class ErrorTable:
    """The product's errors in one generation, `old` (2018 pages) or `new` (Nov 2024 pages)."""

    def __init__(self, generation: str, config_exists_code: str = "CodeConfigAlreadyExists") -> None:
        self._new = generation == "new"
        self._config_exists_code = config_exists_code

    def stream_not_found(self) -> GatewayError:
        """Return the error for a stream that is not being pushed."""
        if self._new:
            return GatewayError("StreamNotFound", 409, "The stream does not exist.")
        return GatewayError("InvalidStream.NotFound", 404, "Stream does not exist.")

    def config_not_found(self) -> GatewayError:
        """Return the error for a stream or domain without an applicable configuration."""
        if self._new:
            return GatewayError("CodeConfigNotFound", 400, "No config found")
        return GatewayError("InvalidConfig.NotFound", 404, "Config does not exist.")

    def config_exists(self) -> GatewayError:
        """Return the error for adding a configuration that exists; its code is not documented, and so a switch."""
        return GatewayError(self._config_exists_code, 400, "Code Config Already Exists")

    def domain_not_found(self) -> GatewayError:
        """Return the error for a domain of another account, or one of the wrong kind for the operation."""
        return GatewayError("InvalidDomain.NotFound", 404, "The specified domain does not exist.")

    def already_started(self) -> GatewayError:
        """Return the error for starting a recording that is already running."""
        return GatewayError("TaskAlreadyStarted", 409, "Task has already started.")

    def missing_parameter(self, name: str) -> GatewayError:
        """Return the error for a required parameter that is absent or empty."""
        code = "MissingParam" if self._new else f"Missing{name.split('.', maxsplit=1)[0]}"
        return GatewayError(code, 400, f"{name} is mandatory for this action.")

    def malformed_parameter(self, name: str, why: str) -> GatewayError:
        """Return the error for a parameter value outside its documented range or form."""
        code = "MalformedParam" if self._new else f"Invalid{name.split('.', maxsplit=1)[0]}"
        return GatewayError(code, 400, f"The specified parameter {name} is not valid. {why}")

    def malformed_url(self, name: str) -> GatewayError:
        """Return the error for a callback URL that is not http or https; its code is the same in every generation."""
        return GatewayError(f"Invalid{name}.Malformed", 400, f"Specified {name} is invalid.")

    def unsafe_url(self, name: str) -> GatewayError:
        """Return the error for a callback URL on a private address; the code is documented for NotifyUrl."""
        return GatewayError(f"Invalid{name}.Unsafe", 400, f"Specified {name} is not safe.")

    def record_not_found(self) -> GatewayError:
        """Return the error for an unknown id of an index file."""
        return self.malformed_parameter("RecordId", "There is no such record.")
