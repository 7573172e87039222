#!/usr/bin/python3
"""Mail that leaves: through a real Postfix both ways, and to a server that looks closely: recipients
that share a transaction, extensions, refusals and their reports, groups with members elsewhere."""

import base64
import re

from harness import outbound, tap
from harness.neighbour import Neighbour
from harness.outbound import newest, submit, text, wait_until_empty
from harness.postfix import Postfix
from harness.tap import expect, expect_equal, test

peer = Neighbour()
server = outbound.server(routes=f"peer.test=127.0.0.1:{peer.address[1]}, "
                                f".peer.test=127.0.0.1:{peer.address[1]}").start()
received = {"alice": 0, "bob": 0}  # how many messages are in the inboxes


def report_to(user):
    received[user] += 1
    return newest(server, user, received[user]).decode()


@test
def mail_goes_to_postfix_and_comes_back_from_it():
    with Postfix(relayhost=server.address("smtp")) as postfix:
        other = outbound.server(users=["alice"], routes=f"postfix.test=127.0.0.1:{postfix.port}")
        with other:
            body = "".join(f"line {i}\r\n.\r\n..dots\r\n" for i in range(1000))
            for i in range(5):
                submit(other, ["joe@postfix.test", "sue@postfix.test"], text(f"out {i}", body=body))
            messages = postfix.wait_for(10)
            expect(all(m.count(b"\n.\n..dots\n") == 1000 for m in messages), messages[0])
            expect(all(b"Received: from [127.0.0.1]" in m or b"Received: from" in m
                       for m in messages))
            wait_until_empty(other)
            # What it takes for others it brings to us.
            submit(other, ["joe@postfix.test"], text("more"))
            postfix.wait_for(11)
        import smtplib
        with smtplib.SMTP("127.0.0.1", postfix.port) as smtp:
            smtp.sendmail("joe@postfix.test", ["alice@example.test", "bob@example.test"],
                          "Subject: from postfix\r\n\r\nhello\r\n")
        for user in received:
            received[user] += 1
            expect(b"Subject: from postfix" in newest(server, user, received[user]))


@test
def recipients_of_one_place_share_a_transaction():
    before = len(peer.messages)
    submit(server, [f"r{i}@peer.test" for i in range(150)], text("many"))
    messages = peer.wait_for(before + 2)[before:]
    expect_equal(sorted(len(m.recipients) for m in messages), [50, 100])
    wait_until_empty(server)


@test
def parameters_of_dsn_are_passed_on():
    with server.smtp("submission") as smtp:
        if "DSN" not in smtp.ehlo():
            tap.skip("our submission service does not take them")
    submit(server, ["joe@peer.test"], text("dsn"), options=" RET=HDRS ENVID=abc+2B1",
           rcpt_options=" NOTIFY=SUCCESS,DELAY ORCPT=rfc822;old@x.test")
    wait_until_empty(server)
    message = peer.messages[-1]
    expect("RET=HDRS" in message.options[0] and "ENVID=abc+2B1" in message.options[0], message)
    expect_equal(message.options[1], ["NOTIFY=SUCCESS,DELAY", "ORCPT=rfc822;old@x.test"])


@test
def a_server_without_8bitmime_gets_quoted_printable():
    extensions, peer.extensions = peer.extensions, ["PIPELINING"]
    server.run("queue", "flush", server.dir, "peer.test")
    peer.hang_up()
    try:
        submit(server, ["joe@peer.test"],
               text("gr", extra="MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                                "Content-Transfer-Encoding: 8bit\r\n", body="Gr\u00fc\u00dfe\r\n"),
               options=" BODY=8BITMIME")
        wait_until_empty(server)
        data = peer.messages[-1].data
        expect(b"Content-Transfer-Encoding: quoted-printable" in data and b"Gr=C3=BC=C3=9Fe" in data,
               data)
    finally:
        peer.extensions = extensions
        peer.hang_up()


@test
def binary_messages_go_as_chunks_or_in_base64():
    data = bytes(range(256)) * 3 + b"\n.\r\nx"
    message = text("binary", extra="MIME-Version: 1.0\r\nContent-Type: application/x\r\n"
                                   "Content-Transfer-Encoding: binary\r\n", body="") + data
    peer.extensions += ["CHUNKING", "BINARYMIME"]
    peer.hang_up()
    submit(server, ["joe@peer.test"], message, options=" BODY=BINARYMIME", chunk=True)
    wait_until_empty(server)
    expect(peer.messages[-1].data.endswith(b"\r\n\r\n" + data), peer.messages[-1])
    del peer.extensions[-2:]
    peer.hang_up()
    submit(server, ["joe@peer.test"], message, options=" BODY=BINARYMIME", chunk=True)
    wait_until_empty(server)
    head, _, body = peer.messages[-1].data.partition(b"\r\n\r\n")
    expect(b"Content-Transfer-Encoding: base64" in head and b"binary\r\n" not in head.split(
        b"Subject")[1].split(b"\r\n", 1)[1], head)
    expect_equal(base64.b64decode(body), data)


@test
def utf8_addresses_need_a_server_that_takes_them():
    submit(server, ["j\u00f6@peer.test"], text("utf8"), options=" SMTPUTF8")
    wait_until_empty(server)
    expect_equal(peer.messages[-1].recipients, ["j\u00f6@peer.test"])
    expect("SMTPUTF8" in peer.messages[-1].options[0], peer.messages[-1])


@test
def what_is_refused_for_good_is_reported_with_the_words_of_the_server():
    peer.rules["RCPT"] = lambda to: ("550 5.1.1 no such user here" if to.startswith("no") else
                                     "250 2.1.5 ok")
    before = len(peer.messages)
    submit(server, ["yes@peer.test", "no@peer.test"], text("half"))
    expect_equal(peer.wait_for(before + 1)[-1].recipients, ["yes@peer.test"])
    report = report_to("alice")
    del peer.rules["RCPT"]
    expect("Final-Recipient: rfc822; no@peer.test" in report, report)
    expect("yes@peer.test" not in report.split("message/rfc822")[0], report)
    expect("Status: 5.1.1" in report and "no such user here" in report, report)
    wait_until_empty(server)


@test
def what_is_refused_for_now_comes_again_alone():
    seen = []

    def later_once(to):
        seen.append(to)
        return "450 4.2.0 try later" if to.startswith("later") and seen.count(to) == 1 else "250 ok"
    peer.rules["RCPT"] = later_once
    before = len(peer.messages)
    submit(server, ["now@peer.test", "later@peer.test"], text("grey"))
    messages = peer.wait_for(before + 2)[before:]
    del peer.rules["RCPT"]
    expect_equal([m.recipients for m in messages], [["now@peer.test"], ["later@peer.test"]])
    wait_until_empty(server)


@test
def a_group_with_members_elsewhere_sends_to_each_once():
    server.run("group", "add", server.dir, "team@example.test", "--name", "Team")
    for name in ("ann", "ben", "cal"):
        server.run("contact", "add", server.dir, f"{name}@example.test", "--target",
                   f"{name}@{name}.peer.test", "--name", name)
        server.run("group", "members", "add", server.dir, "team@example.test", f"{name}@example.test")
    server.run("group", "members", "add", server.dir, "team@example.test", "bob@example.test")
    tries = []

    def ben_is_late(to):
        tries.append(to)
        return "450 4.2.0 late" if to.startswith("ben") and len(tries) < 5 else "250 ok"
    peer.rules["RCPT"] = ben_is_late
    before = len(peer.messages)
    submit(server, ["team@example.test"], text("to the team"))
    peer.wait_for(before + 2)
    wait_until_empty(server)
    del peer.rules["RCPT"]
    got = [r for m in peer.messages[before:] for r in m.recipients]
    expect_equal(sorted(got), [f"{n}@{n}.peer.test" for n in ("ann", "ben", "cal")])
    received["bob"] += 1
    newest(server, "bob", received["bob"])


@test
def what_leaves_is_signed_and_what_others_sent_is_not():
    for kind in ("rsa", "ed25519"):
        server.run("dkim", "create", server.dir, "example.test", "--selector", kind, "--type", kind)
    submit(server, ["joe@peer.test"], text("signed"))
    wait_until_empty(server)
    head = peer.messages[-1].data.split(b"\r\n\r\n")[0]
    expect(head.startswith(b"DKIM-Signature:"), head)
    expect(b"s=rsa" in head and b"s=ed25519" in head and b"d=example.test" in head, head)
    server.run("contact", "add", server.dir, "out@example.test", "--target", "out@peer.test",
               "--name", "Out")
    server.deliver("out", text("forwarded"), sender="stranger@remote.test")
    wait_until_empty(server)
    expect(b"DKIM-Signature" not in peer.messages[-1].data, peer.messages[-1])
    expect_equal(peer.messages[-1].sender, "stranger@remote.test")


@test
def the_queue_is_shown_and_steered():
    peer.rules["MAIL"] = "451 4.3.2 not today"
    submit(server, ["joe@peer.test"], text("stays"))
    entries = outbound.wait_for_queue(server, lambda es: es and es[0]["attempts"] > 0, "deferred")
    ident = entries[0]["id"]
    expect("not today" in entries[0]["reason"], entries)
    shown = server.json("queue", "show", server.dir, ident)
    expect("4.3.2 not today" in str(shown) and "joe@peer.test" in str(shown), shown)
    server.run("queue", "hold", server.dir, ident)
    del peer.rules["MAIL"]
    server.run("queue", "retry", server.dir)
    expect(outbound.queue(server)[0]["held"], outbound.queue(server))
    server.run("queue", "release", server.dir, ident)
    wait_until_empty(server)
    expect(re.search(rb"Subject: stays", peer.messages[-1].data))


def the_server_stops_clean():
    server.remove()
    peer.stop()


tap.finish(the_server_stops_clean)
