#!/usr/bin/python3
"""Hundreds of real messages through every conversion: mail of Debian's packages, and the mail, appointments
and tasks in Outlook data files. What the laws are stands in src/admin/conversions_test.c."""

import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "data"))
import real  # noqa: E402

from harness import bourse, tap  # noqa: E402
from harness.tap import expect, test  # noqa: E402

PROGRAM = bourse.binary().parent.parent / "admin_conversions_test"
NODE = bourse.TOP / "tests/clients/node/node_modules/pst-extractor/example/testdata"
total = 0


def check(paths):
    global total
    done = subprocess.run([str(PROGRAM), *map(str, paths)], capture_output=True, text=True, timeout=800,
                          check=False)
    found = re.search(r"(\d+) messages, (\d+) broken", done.stdout)
    for line in done.stdout.splitlines()[:40]:
        tap.note(line)
    expect(found and found.group(2) == "0" and done.returncode == 0, done.stderr[-2000:] or done.stdout[-500:])
    total += int(found.group(1))


@test
def mail_of_packages():
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for name, data in real.messages():
            paths.append(pathlib.Path(folder) / (re.sub(r"[^\w.-]", "_", name) + ".eml"))
            paths[-1].write_bytes(data)
        if not paths:
            tap.skip("no package with real mail is unpacked")
        check(paths)


@test
def what_is_in_outlook_data_files():
    paths = sorted([*NODE.glob("*.pst"), *NODE.glob("*.ost")])
    if not paths:
        tap.skip("the npm packages are not installed")
    check(paths)


@test
def they_are_many():
    tap.note(f"{total} messages")


tap.finish()
