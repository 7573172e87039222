#!/usr/bin/python3
"""The corpus itself: enough messages, all different, the same on every run, and none that could not be
carried by SMTP and IMAP."""

import hashlib
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "data"))
import generate  # noqa: E402
import real  # noqa: E402

from harness import tap  # noqa: E402
from harness.tap import expect, expect_equal, test  # noqa: E402


@test
def generated_messages_are_many_and_different():
    first = [hashlib.sha256(m).digest() for _, m in generate.messages(1200)]
    expect_equal(len(set(first)), 1200)
    again = [hashlib.sha256(m).digest() for _, m in generate.messages(1200)]
    expect_equal(again, first)


@test
def line_ends_are_of_the_wire():
    for name, message in generate.messages(600):
        rest = message.replace(b"\r\n", b"")
        expect(b"\r" not in rest and b"\n" not in rest and b"\0" not in rest, name)


@test
def real_messages_are_found():
    found = list(real.messages())
    if not found:
        tap.skip("no package with real mail is unpacked")
    expect(len(found) >= 100, f"only {len(found)}")
    for name, message in found:
        for changed_name, changed in generate.variations(name, message, 14):
            rest = changed.replace(b"\r\n", b"")
            expect(b"\r" not in rest and b"\n" not in rest and b"\0" not in rest, changed_name)


tap.finish()
