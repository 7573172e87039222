#!/usr/bin/python3
"""Two users of one server by IMAP and submission: a shared mailbox seen, denied and taken away while
it is open; public folders with what each has read; mail to a public folder; sending as somebody
else."""

import imaplib
import smtplib
import time

from harness import bourse, mail, tap
from harness.bourse import DOMAIN, PASSWORD
from harness.tap import expect, expect_equal, test

imaplib._MAXLINE = 10_000_000
server = bourse.Server(["alice", "bob", "carol"]).start()
DIR = server.dir
SHARED = f'"Other Users/alice@{DOMAIN}/Projects"'


def connect(name):
    client = imaplib.IMAP4(*server.address("imap"), timeout=60)
    client.login(f"{name}@{DOMAIN}", PASSWORD)
    return client


def ok(answer):
    expect_equal(answer[0], "OK", f"status of {answer}")
    return answer[1]


def no(answer):
    expect_equal(answer[0], "NO", f"status of {answer}")


def names(client, pattern):
    lines = ok(client.list('""', pattern))
    return [line.decode().split(' "/" ')[1].strip('"') for line in lines if line]


def message(subject, to=f"alice@{DOMAIN}"):
    return (f"From: Somebody <bob@{DOMAIN}>\r\nTo: {to}\r\nSubject: {subject}\r\n"
            f"Message-ID: <{subject}@{DOMAIN}>\r\n\r\nText\r\n").encode()


def wait_for(check, what):
    for _ in range(200):
        if check():
            return
        time.sleep(0.05)
    tap.fail(what)


@test
def a_shared_folder_is_seen_by_whom_it_is_shared_with():
    alice, bob, carol = connect("alice"), connect("bob"), connect("carol")
    ok(alice.create("Projects"))
    ok(alice.append("Projects", None, None, message("one")))
    expect_equal([n for n in names(bob, "*") if n.startswith("Other")], [], "nothing shared yet")
    no(bob.select(SHARED))
    server.run("folder", "grant", DIR, f"alice@{DOMAIN}", "Projects", f"bob@{DOMAIN}", "reviewer")
    expect_equal([n for n in names(bob, "*") if n.startswith("Other")],
                 ["Other Users", f"Other Users/alice@{DOMAIN}",
                  f"Other Users/alice@{DOMAIN}/Projects"], "names of others")
    expect("Other Users" in names(bob, "%"), "the top level")
    expect_equal([n for n in names(carol, "*") if n.startswith("Other")], [], "carol sees nothing")
    no(carol.select(SHARED))
    space = ok(bob.namespace())[0].decode()
    expect('"Other Users/"' in space and '"Public Folders/"' in space, space)
    expect(b"MESSAGES 1" in ok(bob.status(SHARED, "(MESSAGES)"))[0], "STATUS")
    for client in (alice, bob, carol):
        client.logout()


@test
def rights_are_honoured():
    bob = connect("bob")
    expect_equal(ok(bob.select(SHARED, readonly=True)), [b"1"], "messages")
    data = ok(bob.fetch("1", "(FLAGS BODY.PEEK[])"))
    expect(b"Subject: one" in data[0][1], "the message")
    no(bob.append(SHARED, None, None, message("intruder")))
    no(bob.delete(SHARED))
    no(bob.create(f'"Other Users/alice@{DOMAIN}/Projects/mine"'))
    no(bob.create(f'"Other Users/carol@{DOMAIN}/mine"'))
    typ, _ = bob.store("1", "+FLAGS", "\\Flagged")
    expect_equal(typ, "NO", "STORE by a reviewer")
    ok(bob.copy("1", "INBOX"))  # between mailboxes
    ok(bob.select("INBOX"))
    expect(b"Subject: one" in ok(bob.fetch("1", "(BODY.PEEK[])"))[0][1], "the copy")
    no(bob.copy("1", SHARED))
    server.run("folder", "grant", DIR, f"alice@{DOMAIN}", "Projects", f"bob@{DOMAIN}", "author")
    ok(bob.copy("1", SHARED))
    ok(bob.select(SHARED))
    ok(bob.store("2", "+FLAGS", "\\Deleted"))
    no(bob.store("1", "+FLAGS", "\\Deleted"))  # alice's
    ok(bob.expunge())
    expect_equal(ok(bob.select(SHARED)), [b"1"], "one's own is gone")
    bob.logout()


@test
def rights_taken_away_while_connected():
    bob, idle = connect("bob"), connect("bob")
    ok(bob.select(SHARED))
    ok(idle.select(SHARED))
    tag = idle._new_tag()
    idle.send(tag + b" IDLE\r\n")
    idle.readline()
    server.run("folder", "grant", DIR, f"alice@{DOMAIN}", "Projects", f"bob@{DOMAIN}", "none")
    line = idle.readline()
    expect(line.startswith(b"* BYE"), f"IDLE goes on: {line}")
    try:
        answer = bob.fetch("1", "(BODY.PEEK[])")
        expect(answer[0] != "OK" or answer[1] == [None], f"still readable: {answer}")
    except imaplib.IMAP4.abort:
        pass
    again = connect("bob")
    no(again.select(SHARED))
    again.logout()


@test
def full_access_opens_everything():
    bob = connect("bob")
    no(bob.select(f'"Other Users/alice@{DOMAIN}/INBOX"'))
    server.run("user", "grant", DIR, f"alice@{DOMAIN}", "--to", f"bob@{DOMAIN}", "--right",
               "full-access")
    ok(bob.select(f'"Other Users/alice@{DOMAIN}/INBOX"'))
    ok(bob.append(f'"Other Users/alice@{DOMAIN}/Drafts"', None, None, message("draft")))
    rights = server.json("user", "rights", DIR, f"alice@{DOMAIN}")
    rights = rights if isinstance(rights, list) else [rights]
    expect_equal([(r["address"], r["rights"]) for r in rights], [(f"bob@{DOMAIN}", "full-access")])
    server.run("user", "revoke", DIR, f"alice@{DOMAIN}", "--to", f"bob@{DOMAIN}", "--right",
               "full-access")
    no(connect("bob").select(f'"Other Users/alice@{DOMAIN}/INBOX"'))


@test
def public_folders_remember_what_each_has_read():
    server.run("public", "add", DIR, "News")
    server.run("public", "add", DIR, "News/Sports")
    alice, bob = connect("alice"), connect("bob")
    expect("Public Folders/News/Sports" in names(bob, "*"), "public folders are listed")
    ok(alice.append('"Public Folders/News"', None, None, message("first")))
    ok(alice.append('"Public Folders/News"', "\\Seen", None, message("second")))
    ok(bob.select('"Public Folders/News"'))
    expect_equal(ok(bob.search(None, "UNSEEN")), [b"1 2"], "unread of bob")
    ok(bob.fetch("1", "(BODY[])"))
    expect_equal(ok(bob.search(None, "UNSEEN")), [b"2"], "unread of bob after reading")
    expect(b"UNSEEN 1" in ok(alice.status('"Public Folders/News"', "(UNSEEN)"))[0], "alice's own")
    ok(alice.select('"Public Folders/News"'))
    expect_equal(ok(alice.search(None, "UNSEEN")), [b"1"], "unread of alice")
    typ, _ = bob.store("1", "+FLAGS", "\\Deleted")
    expect_equal(typ, "NO", "bob deletes alice's message")
    again = connect("bob")
    ok(again.select('"Public Folders/News"'))
    expect_equal(ok(again.search(None, "SEEN")), [b"1"], "kept between connections")
    for client in (alice, bob, again):
        client.logout()


@test
def mail_to_a_public_folder_arrives():
    server.run("public", "mail-enable", DIR, "News", f"news@{DOMAIN}")
    server.deliver(f"news@{DOMAIN}", message("posted", f"news@{DOMAIN}"))
    bob = connect("bob")

    def there():
        ok(bob.select('"Public Folders/News"'))
        return b"3" in ok(bob.search(None, "SUBJECT", "posted"))[0]
    wait_for(there, "the message did not arrive")
    shown = server.json("public", "show", DIR, "News")
    expect_equal(shown["address"], f"news@{DOMAIN}")
    server.run("public", "set", DIR, "News", "--item-size", "1K")
    no(bob.append('"Public Folders/News"', None, None, message("big") + b"x" * 2000))
    bob.logout()
    server.run("check", DIR)


def submit(name, sender, text):
    client = smtplib.SMTP(*server.address("submission"), timeout=60)
    client.ehlo()
    client.login(f"{name}@{DOMAIN}", PASSWORD)
    try:
        client.sendmail(sender, [f"carol@{DOMAIN}"], text)
        return 250
    except smtplib.SMTPSenderRefused as error:
        return error.smtp_code
    except smtplib.SMTPDataError as error:
        return error.smtp_code
    finally:
        client.close()


@test
def sending_as_somebody_else():
    as_alice = f"From: alice@{DOMAIN}\r\nTo: carol@{DOMAIN}\r\nSubject: %s\r\n\r\nText\r\n"
    own = f"From: bob@{DOMAIN}\r\nTo: carol@{DOMAIN}\r\nSubject: own\r\n\r\nText\r\n"
    bob, alice = f"bob@{DOMAIN}", f"alice@{DOMAIN}"
    expect_equal(submit("bob", bob, own), 250)
    expect_equal(submit("bob", alice, as_alice % "no"), 550, "MAIL FROM of another")
    expect_equal(submit("bob", bob, as_alice % "no"), 550, "From of another")
    expect_equal(submit("bob", bob, f"Sender: {alice}\r\n" + own), 550, "Sender of another")
    server.run("user", "grant", DIR, alice, "--to", bob, "--right", "send-on-behalf")
    expect_equal(submit("bob", alice, as_alice % "behalf"), 250)
    server.run("user", "grant", DIR, alice, "--to", bob, "--right", "send-as")
    expect_equal(submit("bob", alice, as_alice % "as"), 250)
    carol = connect("carol")

    def header(subject):
        ok(carol.select("INBOX"))
        found = ok(carol.search(None, "SUBJECT", subject))[0].split()
        return ok(carol.fetch(found[-1].decode(), "(BODY.PEEK[HEADER])"))[0][1] if found else b""
    wait_for(lambda: header("as") and header("behalf"), "the mails did not arrive")
    expect(f"Sender: <{bob}>".encode() in header("behalf"), "Sender names who sent it")
    expect(b"Sender:" not in header("as"), "sent as alice")
    carol.logout()


def finish():
    server.remove()


tap.finish(finish)
