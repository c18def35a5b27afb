# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real server for shared slots: redis-server or valkey-server of this machine, on loopback or on a socket."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any

PROGRAM = shutil.which("redis-server") or shutil.which("valkey-server")
MAX_START_SECONDS = 10.0
# The least that the collection needs, as the documentation says.
ACL = "+eval +evalsha +get +set +time ~apsaravideo-live:*"


def find_free_port() -> int:
    """Return a free port; that of a cluster's bus, which is higher by 10,000, is one, too."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port < 55_000:
            return port


class Store:
    """A running server without persistence; a context manager that stops it.

    `tls` are the paths of a CA, a certificate and its key. Further `settings` are those of the server's configuration.
    """

    def __init__(self, *, on_socket: bool = False, tls: tuple[str, str, str] | None = None, **settings: str) -> None:
        # The path of a socket may have about 100 characters, fewer than those of pytest have.
        self._directory = tempfile.TemporaryDirectory(prefix="store-")
        self._process: subprocess.Popen[bytes] | None = None
        self.password = settings.get("requirepass")
        self.port = find_free_port()
        self.path = str(Path(self._directory.name, "socket"))
        self.url = f"unix://{self.path}" if on_socket else f"redis://127.0.0.1:{self.port}/0"
        listen = {"port": "0" if on_socket else str(self.port)}
        if tls:
            self.url = f"rediss://127.0.0.1:{self.port}/0"
            ca, certificate, key = tls
            listen = {
                "port": "0",
                "tls-port": str(self.port),
                "tls-ca-cert-file": ca,
                "tls-cert-file": certificate,
                "tls-key-file": key,
                "tls-auth-clients": "no",
            }
        lines = {"bind": "127.0.0.1", "unixsocket": self.path, "save": '""', "appendonly": "no", **listen}
        lines.update({name.replace("_", "-"): value for name, value in settings.items()})
        text = "".join(f"{name} {value}\n" for name, value in lines.items())
        self._configuration = Path(self._directory.name, "server.conf")
        self._configuration.write_text(f"{text}dir {self._directory.name}\n", encoding="utf-8")

    def __enter__(self) -> Store:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        self._directory.cleanup()

    def start(self) -> None:
        """Start the server and wait until it responds."""
        assert PROGRAM
        Path(self.path).unlink(missing_ok=True)
        self._process = subprocess.Popen(
            [PROGRAM, str(self._configuration)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        until = time.monotonic() + MAX_START_SECONDS
        while True:
            try:
                self.command("PING")
                return
            except OSError:
                if time.monotonic() > until or self._process.poll() is not None:
                    raise
                time.sleep(0.02)

    def kill(self) -> None:
        """Kill the server, if it is running."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self, down: float = 0.0) -> None:
        """Kill the server and start it anew, without what it had, after `down` seconds."""
        self.kill()
        time.sleep(down)
        self.start()

    def freeze(self) -> None:
        """Stop the server without closing anything; `thaw` lets it go on."""
        assert self._process
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen server go on."""
        assert self._process
        os.kill(self._process.pid, signal.SIGCONT)

    def command(self, *words: str) -> str:
        """Send a command over the Unix socket as the default user, and return the response as the protocol has it."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(self.path)
            if self.password:
                connection.sendall(f"AUTH {self.password}\r\n".encode())
                assert connection.recv(100) == b"+OK\r\n"
            content = "".join(f"${len(word.encode())}\r\n{word}\r\n" for word in words)
            connection.sendall(f"*{len(words)}\r\n{content}QUIT\r\n".encode())
            parts: list[bytes] = []
            while part := connection.recv(65536):
                parts.append(part)
            return b"".join(parts).decode(errors="replace")

    def set_password(self, password: str) -> None:
        """Change the password of the default user, and end the connections of all clients."""
        self.command("CONFIG", "SET", "requirepass", password)
        self.password = password
        self.command("CLIENT", "KILL", "TYPE", "normal")

    def count(self, command: str) -> int:
        """Return how often the server has run a command since it started."""
        mark = f"cmdstat_{command}:calls="
        lines = self.command("INFO", "commandstats").splitlines()
        return next((int(line.removeprefix(mark).split(",")[0]) for line in lines if line.startswith(mark)), 0)

    def keys(self) -> list[str]:
        """Return the keys of slots that the server holds."""
        return [line for line in self.command("KEYS", "*").splitlines() if line.startswith("apsaravideo-live:")]

    def info(self) -> dict[str, Any]:
        """Return what the server says of itself."""
        return dict(line.split(":", 1) for line in self.command("INFO").splitlines() if ":" in line)
