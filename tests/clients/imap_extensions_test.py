#!/usr/bin/python3
"""Extensions of IMAP that no client library at hand knows, as raw commands to the real server: COMPRESS
within TLS and without, QRESYNC, UIDONLY, MULTIAPPEND, CATENATE, REPLACE, BINARY, ACL."""

import os
import re
import socket
import ssl
import zlib

from harness import bourse, tap
from harness.bourse import DOMAIN, PASSWORD
from harness.tap import expect, expect_equal, test

server = bourse.Server(["alice", "bob", "carol", "dora", "emil", "flora"]).start()


class Raw:
    """A connection that says lines and reads whole answers; compressed from compress() on."""

    def __init__(self, user, service="imap"):
        self.socket = socket.create_connection(server.address(service), timeout=60)
        if service == "imaps":
            context = ssl.create_default_context(cafile=str(server.ca))
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        self.packer = self.unpacker = None
        self.buffer = b""
        self.wire_in = 0
        self.number = 0
        self.line()
        self.ok(f'LOGIN {user}@{DOMAIN} "{PASSWORD}"')

    def compress(self):
        self.ok("COMPRESS DEFLATE")
        self.packer = zlib.compressobj(wbits=-15)
        self.unpacker = zlib.decompressobj(wbits=-15)

    def send(self, data):
        if self.packer:
            data = self.packer.compress(data) + self.packer.flush(zlib.Z_SYNC_FLUSH)
        self.socket.sendall(data)

    def more(self):
        data = self.socket.recv(65536)
        expect(data, "the server closed the connection")
        self.wire_in += len(data)
        self.buffer += self.unpacker.decompress(data) if self.unpacker else data

    def line(self):
        while b"\n" not in self.buffer:
            self.more()
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line + b"\n"

    def read(self, n):
        while len(self.buffer) < n:
            self.more()
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data

    def command(self, command):
        """The answer's untagged part and the tagged line; `command` may hold literals."""
        self.number += 1
        tag = b"t%d" % self.number
        data = command if isinstance(command, bytes) else command.encode()
        self.send(tag + b" " + data + b"\r\n")
        untagged = b""
        while True:
            line = self.line()
            if line.startswith(tag + b" "):
                return untagged, line[len(tag) + 1:].decode()
            untagged += line
            while match := re.search(rb"\{(\d+)\}\r\n$", line):
                untagged += self.read(int(match.group(1)))
                line = self.line()
                untagged += line

    def ok(self, command):
        untagged, tagged = self.command(command)
        expect(tagged.startswith("OK"), f"{command[:80]}: {tagged}")
        return untagged

    def no(self, command, code):
        _, tagged = self.command(command)
        expect(tagged.startswith(f"NO [{code}"), f"{command[:80]}: {tagged}")

    def close(self):
        self.ok("LOGOUT")
        self.socket.close()


def literal(text):
    data = text if isinstance(text, bytes) else text.encode()
    return b"{%d+}\r\n" % len(data) + data


def message(subject, body="text\r\n"):
    return f"From: a@remote.test\r\nSubject: {subject}\r\n\r\n{body}"


def compress(service):
    raw = Raw("alice", service)
    expect(b"COMPRESS=DEFLATE" in raw.ok("CAPABILITY"), "COMPRESS is offered")
    raw.compress()
    expect(b"COMPRESS" not in raw.ok("CAPABILITY"), "and not twice")
    raw.no("COMPRESS DEFLATE", "COMPRESSIONACTIVE")
    large = message("large", "the same line again and again\r\n" * 100000)
    raw.ok(b"APPEND INBOX " + literal(large))
    raw.ok("SELECT INBOX")
    before = raw.wire_in
    expect(large.encode() in raw.ok("FETCH * BODY.PEEK[]"), "the message came back")
    expect(raw.wire_in - before < len(large) / 20, "compressed")
    # Random bytes do not compress, and come back all the same.
    noise = os.urandom(300000).hex()
    raw.ok(b"APPEND INBOX " + literal(message("noise", noise)))
    expect(noise.encode() in raw.ok("FETCH * BODY.PEEK[]"), "noise")
    other = Raw("alice", service)
    raw.send(b"i IDLE\r\n")
    expect(raw.line().startswith(b"+"), "idling")
    other.ok(b"APPEND INBOX " + literal(message("news")))
    expect(b"EXISTS" in raw.line(), "woken while compressed")
    raw.send(b"DONE\r\n")
    while not raw.line().startswith(b"i OK"):
        pass
    other.close()
    raw.close()


@test
def compress_in_the_clear():
    compress("imap")


@test
def compress_within_tls():
    compress("imaps")


@test
def qresync_after_a_break():
    raw = Raw("bob")
    raw.ok("ENABLE QRESYNC")
    raw.ok(b"APPEND INBOX " + b" ".join(literal(message(f"m{i}")) for i in range(200)))
    selected = raw.ok("SELECT INBOX").decode()
    validity = re.search(r"UIDVALIDITY (\d+)", selected).group(1)
    modseq = re.search(r"HIGHESTMODSEQ (\d+)", selected).group(1)
    raw.ok("UID STORE 10:19,150 +FLAGS.SILENT (\\Deleted)")
    expect_equal(raw.ok("EXPUNGE").strip(), b"* VANISHED 10:19,150", "while connected")
    raw.ok("UID STORE 100 +FLAGS (\\Flagged)")
    raw.ok("UNSELECT")
    again = raw.ok(f"SELECT INBOX (QRESYNC ({validity} {modseq}))").decode()
    expect("* VANISHED (EARLIER) 10:19,150\r\n" in again, again)
    expect(re.search(r"\* 90 FETCH \(UID 100 FLAGS \(\\Flagged\) MODSEQ", again), again)
    expect_equal(again.count("FETCH"), 1, "changes")
    some = raw.ok(f"SELECT INBOX (QRESYNC ({validity} {modseq} 15:99))").decode()
    expect("* VANISHED (EARLIER) 15:19\r\n" in some and "FETCH" not in some, some)
    old = raw.ok(f"SELECT INBOX (QRESYNC (1 {modseq}))").decode()
    expect("VANISHED" not in old, "another UIDVALIDITY")
    raw.close()


@test
def uid_only():
    raw = Raw("bob")
    expect_equal(raw.ok("ENABLE UIDONLY").strip(), b"* ENABLED UIDONLY", "ENABLE")
    raw.ok("SELECT INBOX")
    expect(b"* 100 UIDFETCH (FLAGS (" in raw.ok("UID FETCH 100 (FLAGS)"), "UIDFETCH")
    _, tagged = raw.command("FETCH 1 (FLAGS)")
    expect(tagged.startswith("BAD [UIDREQUIRED]"), tagged)
    raw.close()


@test
def multiappend_is_all_or_nothing():
    raw = Raw("carol")
    raw.ok(b"APPEND INBOX " + literal(message("one")) + b" (\\Seen) " + literal(message("two")))
    raw.no(b"APPEND INBOX " + literal(message("three")) + b" " + literal(""), "CANNOT")
    expect(b"(MESSAGES 2)" in raw.ok("STATUS INBOX (MESSAGES)"), "two messages")
    raw.close()


@test
def catenate_and_replace():
    raw = Raw("dora")
    raw.ok(b"APPEND INBOX " + literal(message("old", "the body\r\n")))
    raw.ok("CREATE Drafts2")
    raw.ok(b"APPEND INBOX (\\Seen) CATENATE (TEXT " + literal("Subject: new\r\n\r\n> ")
           + b' URL "/INBOX/;UID=1/;SECTION=TEXT")')
    raw.ok("SELECT INBOX")
    expect(b"Subject: new\r\n\r\n> the body\r\n" in raw.ok("UID FETCH 2 BODY[]"), "put together")
    raw.no(b'APPEND INBOX CATENATE (URL "/Nowhere/;UID=1")', "BADURL")
    answer = raw.ok(b"UID REPLACE 1 Drafts2 " + literal(message("instead"))).decode()
    expect(re.search(r"APPENDUID \d+ 1\].*\* 1 EXPUNGE", answer, re.S), answer)
    raw.close()


@test
def binary_parts():
    raw = Raw("dora")
    parts = ("Subject: x\r\nContent-Type: application/octet-stream\r\n"
             "Content-Transfer-Encoding: binary\r\n\r\n").encode() + bytes(range(256))
    raw.ok(b"APPEND INBOX ~" + literal(parts))
    raw.ok("SELECT INBOX")
    expect(b"BINARY.SIZE[1] 256" in raw.ok("FETCH * BINARY.SIZE[1]"), "size")
    expect(b"~{256}\r\n" + bytes(range(256)) in raw.ok("FETCH * BINARY.PEEK[1]"), "bytes")
    raw.no(b"APPEND INBOX ~" + literal(b"Subject: x\r\n\r\n\0"), "UNKNOWN-CTE")
    raw.close()


@test
def rights_by_imap_are_rights_of_exchange():
    raw, guest = Raw("emil"), Raw("flora")
    raw.ok("CREATE Plans")
    raw.ok(b"APPEND Plans " + literal(message("plan")))
    raw.ok(f"SETACL Plans flora@{DOMAIN} lr")
    shared = f'"Other Users/emil@{DOMAIN}/Plans"'
    guest.ok(f"SELECT {shared}")
    guest.no(b"APPEND " + shared.encode() + b" " + literal(message("no")), "NOPERM")
    raw.ok(f"DELETEACL Plans flora@{DOMAIN}")
    guest.no(f"EXAMINE {shared}", "NONEXISTENT")
    raw.close()
    guest.close()


def finish():
    server.remove()


tap.finish(finish)
