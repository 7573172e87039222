#!/usr/bin/python3
"""An export needs the same memory whatever the mailbox holds: neither the server's nor the command's
grows with the size of a message. And a full disk says so."""

import base64
import os
import pathlib
import subprocess
import tempfile
import time

from harness import bourse, tap
from harness.bourse import DOMAIN
from harness.tap import expect, expect_equal, test

ALICE = f"alice@{DOMAIN}"
LARGE, N = 50_000_000, int(os.environ.get("BOURSE_EXPORT_MESSAGES", "3"))
ROOM = 64_000_000  # what may be in use beyond the beginning, the sanitizer's quarantine (32 MB) included
server = bourse.Server(["alice"], settings={"limits": {"message": "100M"}})
DIR = server.dir


def resident(pid):
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@test
def large_messages_in_constant_memory():
    box = server.root / "large.mbox"
    line = base64.b64encode(os.urandom(57)) + b"\r\n"
    with open(box, "wb") as out:
        for i in range(N):
            out.write(b"From a@b.test Thu Jan  1 00:00:00 2026\r\nSubject: large %d\r\n"
                      b"Content-Type: application/octet-stream\r\n"
                      b"Content-Transfer-Encoding: base64\r\n\r\n" % i)
            out.write(line * (LARGE // len(line)) + b"\r\n")
    server.run("import", DIR, ALICE, box)
    server.start()
    before = peak = resident(server.process.pid)
    out = server.root / "out"
    process = subprocess.Popen([str(server.binary), "export", str(DIR), ALICE, "--folder", "Inbox",
                                "--format", "eml", str(out)], env=server.environment,
                               stdout=subprocess.DEVNULL)
    first = most = 0
    while process.poll() is None:
        peak = max(peak, resident(server.process.pid))
        try:
            now = resident(process.pid)
        except (FileNotFoundError, ProcessLookupError, IndexError):
            continue
        first = first or now
        most = max(most, now)
        time.sleep(0.01)
    expect_equal(process.returncode, 0, "export")
    sizes = sorted(p.stat().st_size for p in out.glob("*.eml"))
    expect(len(sizes) == N and sizes[0] > LARGE * 0.99, f"{sizes}")
    tap.note(f"server {before >> 20} MiB, at most {peak >> 20}; command at most {most >> 20}")
    expect(peak - before < ROOM, f"the server went from {before} to {peak}")
    expect(most < first + ROOM + 100_000_000, f"the command used {most}")


@test
def a_full_disk_is_told():
    mount = pathlib.Path(tempfile.mkdtemp(prefix="bourse-export-"))
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(mount)], check=False,
                          capture_output=True)
    if done.returncode != 0:
        mount.rmdir()
        tap.skip("mounting a tmpfs is not permitted here")
    try:
        done = server.run("export", DIR, ALICE, "--format", "mbox", mount / "out", check=False)
        expect_equal(done.returncode, 1, "export")
        expect("No space left" in done.stderr, done.stderr)
        done = server.run("backup", DIR, "--to", mount / "backup", check=False)
        expect(done.returncode in (0, 1), f"backup: {done.stderr}")
        if done.returncode:
            expect("disk is full" in done.stderr, done.stderr)
            listed = server.run("backup", "list", mount / "backup", "--json", check=False)
            expect(listed.stdout.strip() == "[]" or "EC_NOT_FOUND" in listed.stderr,
                   f"a backup that failed is listed: {listed.stdout}{listed.stderr}")
        subprocess.run(["mount", "-o", "remount,ro", str(mount)], check=True)
        done = server.run("backup", DIR, "--to", mount / "second", check=False)
        expect_equal(done.returncode, 1, "read-only")
        expect("cannot be made" in done.stderr, done.stderr)
    finally:
        subprocess.run(["umount", str(mount)], check=False)
        mount.rmdir()
    server.check_alive()


tap.finish(server.remove)
