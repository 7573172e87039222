#!/usr/bin/python3
"""Thousands of messages, real and generated, in and out again: imported from files, fetched by IMAP,
exported in every format, and each time the same bytes. Every one has an ENVELOPE and a BODYSTRUCTURE
that a strict reader of the IMAP grammar can read.

CORPUS_COUNT: how many (5,200)."""

import collections
import hashlib
import mailbox
import os
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "data"))
import generate  # noqa: E402
import real  # noqa: E402

from harness import bourse, mail, tap  # noqa: E402
from harness.tap import expect, expect_equal, test  # noqa: E402

COUNT = int(os.environ.get("CORPUS_COUNT", "5200"))
BIG = 50 * 1024 * 1024
USER = "alice@example.test"

server = bourse.Server(["alice", "bob"], settings={"limits": {"message": "100M"}})
files = server.root / "corpus"
files.mkdir()


def digest(data):
    return hashlib.sha256(data).hexdigest()


def build_corpus():
    """{digest: name}; the files are in `files`."""
    names = {}

    def add(name, data):
        key = digest(data)
        if key not in names:
            name = re.sub(r"[^\w.-]", "_", f"{len(names):05d}-{name}")
            names[key] = name
            (files / f"{name}.eml").write_bytes(data)

    originals = list(real.messages())
    for name, data in originals:
        add(name, data)
    for name, data in originals:
        for changed in generate.variations(name, data, 14):
            add(*changed)
    n_real = len(names)
    for name, data in generate.messages(COUNT):
        if len(names) >= COUNT:
            break
        add(name, data)
    add(*generate.big(1, BIG))
    tap.note(f"{len(names)} messages: {len(originals)} real ones, {n_real - len(originals)} variations, "
             f"{len(names) - n_real} generated")
    return names


corpus = build_corpus()


def compare(got, what):
    """`got`: digests in any order, as often as they came."""
    count = collections.Counter(got)
    missing = [corpus[d] for d in corpus if d not in count]
    foreign = [d for d in count if d not in corpus]
    doubled = [corpus.get(d, d) for d, n in count.items() if n > 1]
    expect(not missing and not foreign and not doubled,
           f"{what}: {len(missing)} of {len(corpus)} missing or changed ({missing[:8]}), "
           f"{len(foreign)} unknown, {len(doubled)} doubled ({doubled[:3]})")


@test
def every_file_is_imported():
    done = server.run("import", server.dir, USER, "--folder", "Inbox",
                      *sorted(files.glob("*.eml")), timeout=1200)
    tap.note(done.stdout.splitlines()[-1] if done.stdout else done.stderr[-200:])


@test
def importing_again_adds_nothing():
    some = sorted(files.glob("*.eml"))[:200]
    server.run("import", server.dir, USER, "--folder", "Inbox", *some)
    server.start()
    with server.imap() as imap:
        have = imap.status("INBOX", "MESSAGES")["MESSAGES"]
    expect_equal(have, len(corpus))


@test
def fetched_bytes_are_the_same():
    got, sizes_wrong = [], []
    with server.imap(timeout=300) as imap:
        n = imap.select()
        sizes = {}
        for line in imap.ok("FETCH 1:* (RFC822.SIZE)"):
            if match := re.match(rb"\* (\d+) FETCH \(RFC822\.SIZE (\d+)\)", line):
                sizes[int(match.group(1))] = int(match.group(2))
        for start in range(1, n + 1, 200):
            for seq, body in imap.fetch_bodies(f"{start}:{min(n, start + 199)}").items():
                got.append(digest(body))
                if sizes.get(seq) != len(body):
                    sizes_wrong.append((seq, sizes.get(seq), len(body)))
    compare(got, "FETCH")
    expect(not sizes_wrong, f"RFC822.SIZE differs: {sizes_wrong[:5]}")


def read_list(data, at=0):
    """One value of the IMAP grammar at `at`: (value, end). Iterative: depth is what we test."""
    stack, current = [], None
    while True:
        if at >= len(data):
            raise ValueError("ends inside a list")
        c = data[at:at + 1]
        if c == b"(":
            stack.append([])
            at += 1
            continue
        if c == b" ":
            at += 1
            continue
        if c == b")":
            current = stack.pop()
            at += 1
        elif c == b'"':
            match = re.compile(rb'"((?:[^"\\\r\n]|\\["\\])*)"').match(data, at)
            if not match:
                raise ValueError(f"bad quoted string at {data[at:at + 60]!r}")
            current, at = match.group(1), match.end()
        elif c == b"{":
            match = re.compile(rb"\{(\d+)\}\r\n").match(data, at)
            if not match:
                raise ValueError(f"bad literal at {data[at:at + 60]!r}")
            end = match.end() + int(match.group(1))
            current, at = data[match.end():end], end
        else:
            match = re.compile(rb"[!#$&'+,\-./0-9:;<=>?@A-Z\[\]^_`a-z|}~]+").match(data, at)
            if not match:
                raise ValueError(f"bad atom at {data[at:at + 60]!r}")
            current, at = match.group(), match.end()
        if not stack:
            return current, at
        stack[-1].append(current)


def check_items(line):
    match = re.match(rb"\* (\d+) FETCH ", line)
    items, end = read_list(line, match.end())
    if end != len(line):
        raise ValueError(f"more after the list: {line[end:end + 60]!r}")
    values = dict(zip([bytes(k).upper() for k in items[::2]], items[1::2]))
    envelope, body = values[b"ENVELOPE"], values[b"BODYSTRUCTURE"]
    if len(envelope) != 10:
        raise ValueError(f"ENVELOPE with {len(envelope)} fields")
    if not isinstance(body, list) or len(body) < 2:
        raise ValueError(f"BODYSTRUCTURE {body!r}"[:200])
    if b"\0" in line:
        raise ValueError("NUL")
    return int(match.group(1))


@test
def every_envelope_and_structure_follows_the_grammar():
    bad, seen = [], 0
    with server.imap(timeout=300) as imap:
        n = imap.select()
        for line in imap.ok("FETCH 1:* (ENVELOPE BODYSTRUCTURE)"):
            if b" FETCH " not in line[:30]:
                continue
            try:
                check_items(line)
                seen += 1
            except (ValueError, KeyError, TypeError, IndexError) as error:
                number = int(line.split()[1])
                bad.append((number, str(error)[:200]))
        expect(not bad, f"{len(bad)} bad: {bad[:5]}")
        expect_equal(seen, n)


@test
def every_part_named_by_a_structure_can_be_fetched():
    with server.imap(timeout=300) as imap:
        n = imap.select()
        step = max(1, n // 300)
        for seq in range(1, n + 1, step):
            for what in ("BODY.PEEK[HEADER]", "BODY.PEEK[TEXT]", "BODY.PEEK[1]", "BODY.PEEK[1.MIME]",
                         "BODY.PEEK[2.1.HEADER]", "BODY.PEEK[]<5.100>"):
                imap.ok(f"FETCH {seq} ({what})")


@test
def header_and_text_make_the_whole():
    with server.imap(timeout=300) as imap:
        n = imap.select()
        for seq in range(1, n + 1, max(1, n // 500)):
            imap.ok(f"FETCH {seq} (BODY.PEEK[] BODY.PEEK[HEADER] BODY.PEEK[TEXT])")
            if len(imap.all_literals) == 3:
                whole, head, text = imap.all_literals
                expect_equal(head + text, whole, f"message {seq}")


@test
def exported_files_are_the_same():
    out = server.root / "export-eml"
    server.run("export", server.dir, USER, "--folder", "Inbox", "--format", "eml", out, timeout=1200)
    compare([digest(p.read_bytes()) for p in out.rglob("*") if p.is_file()], "eml")


@test
def an_exported_maildir_is_the_same():
    out = server.root / "export-maildir"
    server.run("export", server.dir, USER, "--folder", "Inbox", "--format", "maildir", out,
               timeout=1200)
    paths = [p for p in out.rglob("*") if p.is_file() and p.parent.name in ("cur", "new")]
    compare([digest(real.canonical(p.read_bytes())) for p in paths], "maildir")


def as_in_mbox(data):
    """What an mbox can say: every message ends with a line end, Status fields are its flags."""
    return re.sub(rb"(?m)^(X-)?Status:.*\r\n", b"", data.rstrip(b"\r\n"), count=2)


@test
def an_exported_mbox_comes_back_the_same():
    out = server.root / "export.mbox"
    server.run("export", server.dir, USER, "--folder", "Inbox", "--format", "mbox", out, timeout=1200)
    path = out if out.is_file() else next(p for p in out.rglob("*") if p.is_file())
    expect(len(mailbox.mbox(path, create=False)) >= len(corpus) * 0.99, "mbox has fewer messages")
    server.run("folder", "create", server.dir, "bob@example.test", "FromMbox")
    server.run("import", server.dir, "bob@example.test", "--folder", "FromMbox", path, timeout=1200)
    with server.imap("bob", timeout=300) as imap:
        n = imap.select("FromMbox")
        got = []
        for start in range(1, n + 1, 200):
            got += [digest(as_in_mbox(b)) for b in imap.fetch_bodies(f"{start}:{min(n, start + 199)}").values()]
    wanted = collections.Counter(
        digest(as_in_mbox((files / f"{name}.eml").read_bytes())) for name in corpus.values())
    changed = sum((wanted - collections.Counter(got)).values())
    expect(changed == 0 and len(got) == len(corpus),
           f"{len(got)} of {len(corpus)} came back, {changed} changed")


@test
def line_ends_nul_and_bare_cr_are_kept_too():
    """Even what SMTP could not have carried comes out as it went in; --crlf makes LF files mail."""
    odd = {
        "lf": b"Subject: lf\nFrom: a@b\n\nline 1\nline 2\n",
        "nul": b"Subject: nul\r\nFrom: a@b\r\n\r\na\0b\0\r\n",
        "cr": b"Subject: cr\r\nFrom: a@b\r\n\r\na\rb\r\n",
        "mixed": b"Subject: mixed\r\nFrom: a@b\n\r\nx\ny\r\nz\n",
    }
    for name, data in odd.items():
        (server.root / f"{name}.eml").write_bytes(data)
    paths = [server.root / f"{n}.eml" for n in odd]
    for folder in ("Odd", "Crlf"):
        server.run("folder", "create", server.dir, USER, folder)
    server.run("import", server.dir, USER, "--folder", "Odd", *paths)
    server.run("import", server.dir, USER, "--folder", "Crlf", "--crlf", server.root / "lf.eml")
    out = server.root / "export-odd"
    server.run("export", server.dir, USER, "--folder", "Odd", "--format", "eml", out)
    expect_equal(sorted(p.read_bytes() for p in out.rglob("*") if p.is_file()), sorted(odd.values()))
    with server.imap() as imap:
        expect_equal(imap.select("Odd"), 4)
        imap.ok("FETCH 1:* (BODY.PEEK[] ENVELOPE BODYSTRUCTURE)")
        expect_equal(imap.select("Crlf"), 1)
        expect_equal(imap.fetch_bodies()[1], odd["lf"].replace(b"\n", b"\r\n"))


@test
def the_mailbox_is_sound_afterwards():
    server.stop()
    server.run("check", server.dir, timeout=1200)


def finish():
    server.remove()


tap.finish(finish)
