# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take the pictures of the README from a real run: pictures.py ANSIBLE_PLAYBOOK DIRECTORY.

The run starts 300 emulated streams, of which four fail, on a pseudo-terminal whose screen is read while the moving line
moves and in the end. The report of that run is opened in a real browser, which also draws the terminal.
"""

from __future__ import annotations

import fcntl
import html
import json
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

import pyte
from playwright.sync_api import Browser, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import chromium

from support.emulator import KEY, Emulator

MAX_BYTES = 150_000
COLUMNS, LINES = 120, 1000  # the recap has a line for each host
APPS = ("news", "sport", "culture")
BARE = {"id": "1000000000000001", "domains": [{"name": "bare.example.com", "ingest": ["push.bare.example.com"]}]}
# Of the 16 colours, those that Ansible uses, as common terminals show them.
COLOURS = {"green": "#7ee787", "red": "#ff7b72", "brown": "#e3b341", "cyan": "#76e3ea", "default": "#d7dde4"}
TERMINAL = """<!DOCTYPE html><meta charset="utf-8"><style>
body {{ margin: 0; background: #fff; }}
pre {{
  margin: 0; padding: 14px 18px; width: max-content; border-radius: 8px; background: #11161d; color: #d7dde4;
  font: 13px/1.4 "DejaVu Sans Mono", monospace;
}}
</style><pre>{}</pre>"""


def make_streams() -> dict[str, dict[str, str]]:
    """Return 300 streams by the names of their hosts; the last one is of a domain without a configuration."""
    found = {
        f"{app}{number:03}": {"domain_name": "live.example.com", "app_name": app, "stream_name": f"{app}{number:03}"}
        for number in range(1, 101)
        for app in APPS
    }
    found["culture100"]["domain_name"] = "bare.example.com"
    return found


def push(cloud: Emulator, streams: dict[str, dict[str, str]]) -> None:
    """Push all but three streams."""
    cloud.add_accounts(BARE)
    absent = {"news007", "sport050", "culture099"}
    cloud.push(*("/".join(names.values()) for host, names in streams.items() if host not in absent))


def run(program: str, directory: Path, cloud: Emulator) -> tuple[pyte.Screen, pyte.Screen]:
    """Start the recordings; return the screen in the middle of the run, and the one in the end."""
    streams = make_streams()
    push(cloud, streams)
    (directory / "streams.json").write_text(json.dumps({"streams": {"hosts": streams}}))
    arguments = ["apsaravideo.live.start", "-i", "streams.json", "-e", "report=start.html"]
    variables = {
        **os.environ,
        "APSARAVIDEO_ENDPOINT": cloud.endpoint,
        "ALIBABA_CLOUD_ACCESS_KEY_ID": KEY[0],
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": KEY[1],
        "ANSIBLE_FORCE_COLOR": "1",
        "TERM": "xterm-256color",
        "XDG_RUNTIME_DIR": str(directory),
    }
    for name in ("ANSIBLE_NOCOLOR", "CI", "GITHUB_STEP_SUMMARY"):
        variables.pop(name, None)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    process = subprocess.Popen(
        [program, *arguments], cwd=directory, env=variables, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    screens = read_screens(ours)
    if process.wait() != 2:  # the exit code of ansible-playbook where hosts have failed
        sys.exit("\n".join(screens[1].display))
    return screens


def read_screens(terminal: int) -> tuple[pyte.Screen, pyte.Screen]:
    """Return what a terminal shows about two thirds into the run, and what it shows when it is closed."""
    screens = [pyte.Screen(COLUMNS, LINES) for _number in range(2)]
    streams = [pyte.ByteStream(screen) for screen in screens]
    is_early = True
    while True:
        try:
            output = os.read(terminal, 65536)
        except OSError:  # the other end is closed
            output = b""
        if not output:
            return screens[0], screens[1]
        if is_early:
            streams[0].feed(output)
            found = re.search(r"start: (\d+)/300", "\n".join(screens[0].display))
            is_early = not found or int(found[1]) < 180  # noqa: PLR2004
        streams[1].feed(output)


def render(screen: pyte.Screen, first: str, last: str) -> str:
    """Return the lines of a screen from the one that has the first text to the one that has the last, as HTML."""
    lines = screen.display
    begin, end = (next(number for number, line in enumerate(lines) if text in line) for text in (first, last))
    return "\n".join(render_line(screen, number) for number in range(begin, end + 1))


def render_line(screen: pyte.Screen, number: int) -> str:
    length = len(screen.display[number].rstrip())
    spans = []
    for place in range(length):
        character = screen.buffer[number][place]
        colour = COLOURS.get(character.fg, COLOURS["default"])
        spans.append(f'<span style="color:{colour}">{html.escape(character.data)}</span>')
    return "".join(spans)


def take(browser: Browser, address: str, path: Path, height: int, selector: str | None = None) -> None:
    """Save a picture of a page, or of one element of it."""
    page = browser.new_page(viewport={"width": 1180, "height": height}, device_scale_factor=1, color_scheme="light")
    page.goto(address)
    (page.locator(selector) if selector else page).screenshot(path=path)
    page.close()
    if path.stat().st_size > MAX_BYTES:
        sys.exit(f"{path} has {path.stat().st_size} bytes; at most {MAX_BYTES} were to be expected.")


def main(program: str, target: Path) -> None:
    """Take both pictures."""
    found = chromium.find_or_install()
    if found is None:
        sys.exit(f"The pictures are not taken: {chromium.MISSING}.")
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with Emulator(idle_stop="error") as cloud:
            early, late = run(program, directory, cloud)
        command = "<b>$ ansible-playbook apsaravideo.live.start -i streams.yml -e report=start.html</b>\n"
        moving = render(early, "[###", "[###")
        summary = render(late, "start: 300 streams", "To go on with")
        terminal = directory / "terminal.html"
        terminal.write_text(TERMINAL.format(f"{command}{moving}\n\n{summary}"))
        root = ["--no-sandbox"] if os.geteuid() == 0 else []
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=found, args=root)
            take(browser, terminal.as_uri(), target / "terminal.png", 700, "pre")
            take(browser, (directory / "start.html").as_uri(), target / "page.png", 780)
            browser.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
