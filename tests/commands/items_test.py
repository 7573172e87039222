#!/usr/bin/python3
"""Messages, contacts and files of other programs: converted, imported as what they are, exported again."""

import re
import subprocess

from harness import bourse, tap
from harness.bourse import DOMAIN
from harness.tap import expect, expect_equal, test

ALICE = f"alice@{DOMAIN}"
server = bourse.Server(["alice"])
DIR, root = server.dir, server.root

MAIL = (b"From: Ann <ann@e.example>\r\nTo: alice@example.test\r\nSubject: Gr=?utf-8?q?=C3=BC=C3=9Fe?=\r\n"
        b"Message-ID: <1@e.example>\r\nDate: Mon, 1 Jan 2024 00:00:00 +0000\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n"
        b"<p>Hello <b>you</b></p>\r\n--b\r\nContent-Type: application/pdf; name=plan.pdf\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjQ=\r\n--b--\r\n")
CARDS = ("BEGIN:VCARD\r\nVERSION:2.1\r\nN:Bee;Ann\r\nFN:Ann Bee\r\nTEL;WORK:1234\r\nX-OWN:kept\r\nEND:VCARD\r\n"
         "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Team\r\nKIND:group\r\nMEMBER:mailto:a@e.example\r\nEND:VCARD\r\n")
(root / "mail.eml").write_bytes(MAIL)
(root / "cards.vcf").write_text(CARDS)


def convert(source, target, *words, check=True):
    return server.run("convert", root / source, root / target, *words, check=check)


@test
def each_format_becomes_the_others():
    for target in ("mail.msg", "winmail.dat", "mail.rtf", "mail.html", "mail.txt", "mail.lzfu"):
        convert("mail.eml", target)
    expect_equal((root / "mail.txt").read_text().strip(), "Hello you")
    expect(b"fromhtml1" in (root / "mail.rtf").read_bytes(), "RTF that knows its HTML")
    expect_equal((root / "mail.html").read_text().strip(), "<p>Hello <b>you</b></p>")
    convert("mail.msg", "again.dat")
    convert("again.dat", "again.eml")
    again = (root / "again.eml").read_bytes()
    for line in (b"From: Ann <ann@e.example>\r\n", b"Message-ID: <1@e.example>\r\n", b"JVBERi0xLjQ="):
        expect(line in again, f"{line} is in {again!r}")
    done = subprocess.run([str(server.binary), "convert", str(root / "mail.rtf"), "-", "--to", "html"],
                          capture_output=True, env=server.environment, check=True)
    expect(b"<b>you</b>" in done.stdout, done.stdout)


@test
def what_cannot_be_converted_says_why():
    for words, reason in ((("mail.eml", "x.vcf"), "only contacts"), (("cards.vcf", "x.msg"), "2 cards"),
                          (("mail.eml", "x.odd"), "--to"), (("mail.eml", "y.eml", "--from", "msg"), "format msg"),
                          (("none.eml", "y.msg"), "none.eml")):
        done = convert(*words, check=False)
        expect(done.returncode == 1 and reason in done.stderr, f"{words}: {done.stderr}")


@test
def other_tools_read_our_files():
    """The compound file as a program that knows nothing of us sees it."""
    done = subprocess.run(["file", str(root / "mail.msg")], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        expect(re.search("Composite Document|CDFV2|Outlook", done.stdout), done.stdout)


def import_all(*words):
    return server.run("import", DIR, ALICE, *words).stdout


@test
def messages_and_contacts_are_imported_once():
    out = import_all(root / "mail.msg", root / "winmail.dat", root / "cards.vcf")
    expect("4 messages imported" in out, out)
    out = import_all(root / "mail.msg", root / "winmail.dat", root / "cards.vcf")
    expect("0 messages imported" in out and "4 were imported before" in out, out)


@test
def an_imported_message_is_mail_for_clients():
    server.start()
    with server.imap() as imap:
        expect_equal(imap.select("INBOX"), 2)
        for body in imap.fetch_bodies("1:2").values():
            for line in (b"From: Ann <ann@e.example>\r\n", b"Message-ID: <1@e.example>\r\n", b"JVBERi0xLjQ=",
                         b"Hello <b>you</b>"):
                expect(line in body, f"{line} is in {body!r}")
        line = next(x for x in imap.ok("FETCH 1 (INTERNALDATE ENVELOPE)") if b"ENVELOPE" in x)
        expect(b" 1-Jan-2024" in line or b"01-Jan-2024" in line, line)


@test
def items_are_exported_as_what_they_are():
    server.run("export", DIR, ALICE, "--folder", "Contacts", "--format", "vcf", root / "contacts.vcf")
    text = (root / "contacts.vcf").read_text()
    for line in ("FN:Ann Bee", "TEL;TYPE=work:1234", "X-OWN:kept", "FN:Team", "KIND:group", "mailto:a@e.example"):
        expect(line in text, f"{line} is in {text}")
    server.run("export", DIR, ALICE, "--folder", "Inbox", "--format", "msg", root / "msgs")
    files = sorted((root / "msgs").glob("*.msg"))
    expect_equal(len(files), 2)
    server.run("convert", files[0], root / "exported.eml")
    exported = (root / "exported.eml").read_bytes()
    expect(b"JVBERi0xLjQ=" in exported and b"Message-ID: <1@e.example>" in exported, exported)


@test
def the_mailbox_is_sound():
    server.stop()
    server.run("check", DIR)


def finish():
    server.remove()


tap.finish(finish)
