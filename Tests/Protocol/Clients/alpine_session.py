"""Drives alpine by its screen: alpine_session.py RC STEP..., where the steps are in turn a text to wait for on the screen and the keys to press then; at the end it waits for alpine to end."""
import os
import pty
import re
import select
import sys
import time

PATIENCE = 170


def main(rc, *steps):
    pid, screen = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm", LINES="40", COLUMNS="120")
        os.execvp("alpine", ["alpine", "-p", rc, "-i"])
    seen, everything = b"", b""
    waits = list(zip(steps[::2], steps[1::2]))
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if waits and waits[0][0].encode() in re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", seen):
            os.write(screen, waits.pop(0)[1].encode().decode("unicode_escape").encode())
            seen = b""
        if not select.select([screen], [], [], 1)[0]:
            continue
        try:
            read = os.read(screen, 65536)
        except OSError:
            read = b""
        if not read:
            _, status = os.waitpid(pid, 0)
            if status or waits:
                sys.exit("alpine ended early:\n" + everything.decode(errors="replace"))
            return
        seen += read
        everything += read
    os.kill(pid, 9)
    sys.exit((f"alpine did not show {waits[0][0]!r}:\n" if waits else "alpine did not end:\n") + everything.decode(errors="replace"))


main(*sys.argv[1:])
