#!/usr/bin/python3
"""Outlook data files of other people (from an npm package that reads such files): folders, mail, calendars,
attachments; again without anything twice; in constant memory."""

import resource

from harness import bourse, tap
from harness.bourse import DOMAIN
from harness.tap import expect, expect_equal, test

ALICE = f"alice@{DOMAIN}"
DATA = bourse.TOP / "tests/clients/node/node_modules/pst-extractor/example/testdata"
ENRON, CACHED = DATA / "enron.pst", DATA / "pstextractortest@outlook.com.ost"
if not ENRON.exists():
    @test
    def data_files():
        tap.skip("the npm packages are not installed")
    tap.finish()
server = bourse.Server(["alice"])
DIR = server.dir


def folders():
    lines = server.run("folder", "list", DIR, ALICE).stdout.splitlines()[1:]
    return {line.split(None, 3)[3]: int(line.split()[0]) for line in lines if line}


@test
def a_data_file_with_its_folders():
    done = server.run("import", DIR, ALICE, ENRON)
    expect("71 messages imported, 0 skipped" in done.stdout, done.stdout)
    have = folders()
    expect_equal(have["lokay-m/MLOKAY (Non-Privileged)/Personal"], 47)
    expect_equal(have["lokay-m/MLOKAY (Non-Privileged)/TW-Commercial Group"], 14)


@test
def again_adds_nothing():
    done = server.run("import", DIR, ALICE, ENRON)
    expect("0 messages imported" in done.stdout and "71 were imported before" in done.stdout, done.stdout)


@test
def a_cached_mailbox_below_a_folder():
    done = server.run("import", DIR, ALICE, "--folder", "Old", CACHED)
    have = folders()
    expect(have["Old/Inbox"] > 0 and have["Old/Calendar/United States holidays"] > 0, f"{have} {done.stdout}")


@test
def clients_read_what_was_imported():
    server.start()
    with server.imap(timeout=120) as imap:
        n = imap.select("lokay-m/MLOKAY (Non-Privileged)/TW-Commercial Group")
        expect_equal(n, 14)
        bodies = imap.fetch_bodies(f"1:{n}")
        expect(all(b"\r\nSubject:" in b"\r\n" + b and b"\r\n\r\n" in b for b in bodies.values()), "headers")
        expect(any(b"filename=" in b for b in bodies.values()), "attachments")


@test
def memory_does_not_grow_with_the_file():
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    tap.note(f"at most {most >> 10} MiB (sanitizers included)")
    expect(most < 700 * 1024, f"{most} KiB")


@test
def the_mailbox_is_sound():
    server.stop()
    server.run("check", DIR)


def finish():
    server.remove()


tap.finish(finish)
