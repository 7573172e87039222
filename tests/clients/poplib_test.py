#!/usr/bin/python3
"""Python's poplib against POP3 and POP3S: every command, STLS, a locked maildrop, deletion at QUIT only,
large messages byte for byte, and IMAP seeing the same mailbox."""

import poplib
import time

from harness import bourse, mail, tap
from harness.bourse import DOMAIN, PASSWORD
from harness.tap import expect, expect_equal, test

server = bourse.Server(["alice", "bob"]).start()


def tls_context():
    return mail.tls_context(server.ca)


def connect(user="alice", tls=False, login=True):
    host, port = server.address("pop3s" if tls else "pop3")
    pop = poplib.POP3_SSL(host, port, context=tls_context(), timeout=30) if tls else \
        poplib.POP3(host, port, timeout=30)
    if login:
        pop.user(f"{user}@{DOMAIN}")
        pop.pass_(PASSWORD)
    return pop


def refused(function, *arguments):
    try:
        function(*arguments)
    except poplib.error_proto as error:
        return str(error)
    tap.fail(f"{function.__name__}{arguments} was not refused")


def wait_for(count, user="alice"):
    end = time.monotonic() + 20
    while True:
        pop = connect(user)
        n = pop.stat()[0]
        if n >= count or time.monotonic() > end:
            return pop
        pop.quit()
        time.sleep(0.1)


@test
def capabilities_and_logins():
    pop = connect(login=False)
    capabilities = pop.capa()
    for name in ("TOP", "UIDL", "STLS", "USER", "SASL", "PIPELINING", "RESP-CODES", "AUTH-RESP-CODE", "UTF8"):
        expect(name in capabilities, f"no {name} in {capabilities}")
    expect("[AUTH]" in refused(lambda: (pop.user("alice"), pop.pass_("wrong"))), "no [AUTH]")
    pop.stls(context=tls_context())
    expect("STLS" not in pop.capa(), "STLS within TLS")
    pop.user("alice")  # the bare name in the default domain
    pop.pass_(PASSWORD)
    expect("[IN-USE]" in refused(connect), "the maildrop was not locked")
    connect("bob").quit()  # another one is not
    pop.quit()
    connect(tls=True).quit()


@test
def messages_byte_for_byte():
    bodies = [b"one\r\n.dot\r\n..two\r\n", b"x" * 70 + b"\r\n", (b"line of text\r\n.\r\n" * 70000)]
    with server.imap("alice") as imap:
        for i, body in enumerate(bodies):
            imap.append("INBOX", f"Subject: m{i}\r\n\r\n".encode() + body)
    pop = wait_for(3)
    sizes = [int(line.split()[1]) for line in pop.list()[1]]
    for i, body in enumerate(bodies):
        whole = f"Subject: m{i}\r\n\r\n".encode() + body
        expect_equal(sizes[i], len(whole), "size in LIST")
        expect_equal(b"\r\n".join(pop.retr(i + 1)[1]) + b"\r\n", whole, f"message {i + 1}")
        expect_equal(pop.top(i + 1, 0)[1], [f"Subject: m{i}".encode(), b""], "TOP")
    uids = pop.uidl()[1]
    pop.quit()
    pop = connect()
    expect_equal(pop.uidl()[1], uids, "UIDL of the next session")
    pop.quit()
    with server.imap("alice") as imap:
        imap.select()
        expect(all("\\Seen" in flags for flags in imap.fetch_flags().values()), "not read after RETR")


@test
def deleted_at_quit_only():
    pop = connect()
    pop.dele(1)
    expect_equal(pop.stat()[0], 2, "messages after DELE")
    pop.rset()
    expect_equal(pop.stat()[0], 3, "messages after RSET")
    pop.dele(2)
    pop.close()  # the connection is cut: nothing happens
    pop = wait_for(3)
    expect_equal(pop.stat()[0], 3, "messages after a cut connection")
    pop.dele(2)
    pop.quit()
    pop = connect()
    expect_equal([line.split()[0] for line in pop.uidl()[1]], [b"1", b"2"], "after QUIT")
    pop.quit()
    with server.imap("alice") as imap:
        expect_equal(imap.select(), 2, "what IMAP sees")


@test
def expunged_by_another_client():
    pop = connect()
    with server.imap("alice") as imap:
        imap.select()
        imap.ok("STORE 1 +FLAGS (\\Deleted)")
        imap.ok("EXPUNGE")
    pop.retr(1)  # the maildrop stays as it was when the session began
    pop.dele(1)
    pop.quit()  # what is gone already needs no deleting
    pop = connect()
    expect_equal(pop.stat()[0], 1, "messages left")
    pop.quit()


@test
def switched_off_for_a_user():
    server.run("user", "set", server.dir, f"bob@{DOMAIN}", "--protocols", "imap,smtp")
    expect("[AUTH]" in refused(connect, "bob"), "POP3 although it is switched off")


def finish():
    server.stop()
    server.remove()


tap.finish(finish)
