# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line and the start and end of the program."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any

from . import __version__, lifetime, scenario, state, tls
from .behaviour import ON_OFF, Behaviour
from .server import Listener, check_loopback
from .world import World

MAX_START_SECONDS = 30
MAX_CLOSE_SECONDS = 5
_SINGULAR_OPTIONS = {"limits": "limit", "generations": "generation_of"}


def build_parser() -> argparse.ArgumentParser:
    """Build the argument parser, with one option per field of `Behaviour`."""
    parser = argparse.ArgumentParser(
        prog="emulator.py",
        description="A local ApsaraVideo Live: the recording API of the cloud, for tests and pipelines.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    listener = parser.add_argument_group("listener")
    listener.add_argument("--host", default="127.0.0.1", help="loopback address to listen on")
    listener.add_argument("--port", type=int, default=0, help="port; 0 picks a free one")
    listener.add_argument("--tls-cert", metavar="FILE", help="serve HTTPS with this certificate (chain)")
    listener.add_argument("--tls-key", metavar="FILE", help="private key of --tls-cert")
    listener.add_argument("--tls-generate", metavar="DIR", help="serve HTTPS with a certificate generated in DIR")
    listener.add_argument("--ca-path", metavar="FILE", help="name this CA file in the ready line")
    program = parser.add_argument_group("program")
    program.add_argument("--scenario", metavar="FILE", help="accounts, domains and streams to start with (JSON)")
    program.add_argument(
        "--state-file", metavar="PATH", help="continue from this file if it exists, and write it at exit"
    )
    program.add_argument("--ready-file", metavar="PATH", help="write the ready line to this file as well")
    program.add_argument("--background", action="store_true", help="start, print the ready line and return")
    program.add_argument("--log-file", metavar="PATH", help="output of the background process")
    program.add_argument("--parent", type=int, metavar="PID", help="exit when this process ends")
    program.add_argument("--max-age", type=float, metavar="SECONDS", help="exit after this time")
    program.add_argument("--remove-at-exit", metavar="DIR", help="delete this directory when the program ends")
    _add_behaviour(parser.add_argument_group("behaviour (see the README for the question behind each)"))
    return parser


def _add_behaviour(group: argparse._ArgumentGroup) -> None:
    for field in dataclasses.fields(Behaviour):
        name = f"--{_SINGULAR_OPTIONS.get(field.name, field.name).replace('_', '-')}"
        options: dict[str, Any] = {"dest": field.name, "help": field.metadata["help"], "default": argparse.SUPPRESS}
        if "mapping" in field.metadata:
            options.update(action="append", metavar="NAME=N")
        elif field.metadata.get("choices") == ON_OFF:
            options.update(choices=ON_OFF, nargs="?", const="on")
        elif "choices" in field.metadata:
            options.update(choices=field.metadata["choices"])
        elif "minimum" in field.metadata:
            options.update(type=float, metavar="N")
        group.add_argument(name, **options)


def read_behaviour(options: argparse.Namespace) -> dict[str, Any]:
    """Return the behaviour fields given on the command line; raise ValueError if one is not valid."""
    names = {field.name for field in dataclasses.fields(Behaviour)}
    given = {name: value for name, value in vars(options).items() if name in names}
    given = {name: _parse_assignments(value) if isinstance(value, list) else value for name, value in given.items()}
    Behaviour().update(given)
    return given


def _parse_assignments(texts: list[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    for name, mark, value in pairs:
        if not mark or not name:
            raise ValueError(f"expected NAME=N, not {name + mark + value!r}")
    return {name: value for name, _mark, value in pairs}


def main(arguments: list[str] | None = None) -> int:
    """Run the program and return its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = build_parser()
    options = parser.parse_args(arguments)
    if bool(options.tls_cert) != bool(options.tls_key):
        parser.error("--tls-cert and --tls-key go together")
    if options.tls_cert and options.tls_generate:
        parser.error("--tls-generate creates the certificate; do not give one as well")
    try:
        if options.background:
            return _run_in_background([text for text in arguments if text != "--background"], options)
        check_loopback(options.host)
        try:
            return _run(options)
        finally:
            if options.remove_at_exit:
                shutil.rmtree(options.remove_at_exit, ignore_errors=True)
    except (ValueError, OSError, OverflowError, tls.TlsError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2


def _run(options: argparse.Namespace) -> int:
    plan = scenario.load(options.scenario) if options.scenario else scenario.DEFAULT
    world = World(plan, read_behaviour(options))
    if options.state_file:
        _check_directory(options.state_file)
        state.load(options.state_file, world)
    certificate, key = options.tls_cert, options.tls_key
    ca_path = options.ca_path or certificate
    if options.tls_generate:
        certificate, key = tls.generate_certificate(options.tls_generate)
        ca_path = certificate
    context = tls.create_context(certificate, key) if certificate else None
    with Listener(options.host, options.port, world, context) as listener:
        threading.Thread(target=world.run_clock, daemon=True).start()
        lifetime.stop_on_end(listener.stop, options.parent, options.max_age)
        ready = {
            "endpoint": listener.endpoint,
            "port": listener.port,
            "pid": os.getpid(),
            "ca_path": os.path.abspath(ca_path) if ca_path else None,
        }
        print(json.dumps(ready), flush=True)
        if options.ready_file:
            state.write_private_file(options.ready_file, json.dumps(ready))
        listener.serve_forever(poll_interval=0.05)
    if options.state_file:
        world.gate.close(MAX_CLOSE_SECONDS)
        state.save(options.state_file, world)
    return 0


def _check_directory(path: str) -> None:
    """Raise ValueError at the start, not at the end, if a state file could not be written."""
    directory = os.path.dirname(os.path.abspath(path))
    if not os.access(directory, os.W_OK | os.X_OK):
        raise ValueError(f"cannot write into {directory}")


def _run_in_background(arguments: list[str], options: argparse.Namespace) -> int:
    """Start this program again as a detached process; print its ready line, or its error."""
    package_parent = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    with tempfile.TemporaryDirectory(prefix="apsaravideo-emulator-") as directory:
        ready_file, error_file = os.path.join(directory, "ready"), os.path.join(directory, "error")
        command = [sys.executable, os.path.join(package_parent, "emulator.py"), *arguments, "--ready-file", ready_file]
        with open(error_file, "wb") as errors, open(options.log_file or os.devnull, "ab") as log:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log if options.log_file else errors,
                start_new_session=True,
                close_fds=True,
            )
        line = _wait_until_ready(child, ready_file)
        if line is None:
            _print_failure(options.log_file or error_file)
            return child.returncode or 1
    if options.ready_file:
        state.write_private_file(options.ready_file, line)
    print(line, flush=True)
    # The child outlives this process; without a return code its Popen object would warn at exit.
    child.returncode = 0
    return 0


def _wait_until_ready(child: subprocess.Popen[bytes], ready_file: str) -> str | None:
    deadline = time.monotonic() + MAX_START_SECONDS
    while time.monotonic() < deadline:
        if os.path.exists(ready_file):
            with open(ready_file, encoding="utf-8") as file:
                return file.read().strip()
        if child.poll() is not None:
            return None
        time.sleep(0.02)
    child.kill()
    child.wait()
    return None


def _print_failure(path: str) -> None:
    with open(path, encoding="utf-8", errors="replace") as file:
        sys.stderr.write(file.read()[-4000:] or "the emulator did not become ready\n")
