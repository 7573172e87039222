#!/usr/bin/python3
"""What becomes of mail besides its delivery: forwarding here and elsewhere, journaling, duplicates,
reports of success, sent copies, and the tracking log that tells of all of it, while the server runs
and after."""

import email
import email.policy
import json

from harness import mail, outbound, tap
from harness.bourse import DOMAIN
from harness.neighbour import Neighbour
from harness.outbound import newest, submit, wait_until_empty
from harness.tap import expect, expect_equal, test

USERS = ["alice", "bob", "carol", "keeper"]
ALICE, BOB, CAROL, KEEPER = (f"{user}@{DOMAIN}" for user in USERS)
peer = Neighbour()
server = outbound.server(USERS, routes=f"peer.test=127.0.0.1:{peer.address[1]}",
                         journal_domains=f"journaled.test={KEEPER}, nonsense").start()
count = {user: 0 for user in USERS}  # messages in the inboxes


def setting(user, *words, status=0):
    done = server.run("user", "set", server.dir, user, *words, check=False)
    expect_equal(done.returncode, status, done.stdout + done.stderr)
    return done.stderr


def message(subject, **kwargs):
    return mail.simple_message(subject, **kwargs)


def next_message(user):
    count[user] += 1
    return newest(server, user, count[user]).decode()


def track(*words):
    found = server.json("track", server.dir, *words)
    return [(e["event"], e.get("recipient")) for e in found]


@test
def forwarding_to_another_server_keeps_the_sender():
    expect("takes an address" in setting(ALICE, "--forward", "nobody", status=1))
    expect("another address" in setting(ALICE, "--forward", ALICE, status=1))
    setting(ALICE, "--forward", "joe@peer.test")
    shown = server.json("user", "show", server.dir, ALICE)
    expect_equal((shown["forward"], shown["keep_copy"]), ("joe@peer.test", False))
    server.deliver("alice", message("onward"))
    sent = peer.wait_for(1)[0]
    expect_equal((sent.sender, sent.recipients), ("sender@remote.test", ["joe@peer.test"]))
    expect(sent.data.count(b"Delivered-To: " + ALICE.encode()) == 1, sent.data)
    expect(b"Subject: onward\r\n" in sent.data)
    setting(ALICE, "--keep-copy", "yes")
    server.deliver("alice", message("kept"))
    peer.wait_for(2)
    expect("Subject: kept" in next_message("alice"))


@test
def forwarding_in_a_circle_ends():
    setting(ALICE, "--forward", BOB)
    setting(BOB, "--forward", ALICE, "--keep-copy", "yes")
    server.deliver("alice", message("round"))
    expect("Subject: round" in next_message("alice"))
    expect(f"Delivered-To: {ALICE}" in next_message("bob"))
    wait_until_empty(server)
    for user in (ALICE, BOB):
        setting(user, "--forward", "", "--keep-copy", "no")
    expect("forward" not in server.json("user", "show", server.dir, ALICE))


@test
def a_message_that_comes_twice_is_there_once():
    server.deliver("carol", message("twice"))
    server.deliver("carol", message("twice"))
    server.deliver("carol", message("other"))
    wait_until_empty(server)
    expect_equal(server.wait_for_messages("carol", 2), 2)
    count["carol"] = 2
    events = track("--message-id", "twice@remote.test", "--recipient", CAROL)
    expect_equal([e for e, _ in events].count("drop"), 1)


@test
def success_is_reported_when_it_was_asked_for():
    submit(server, [BOB], outbound.text("tell me"), rcpt_options=" NOTIFY=SUCCESS ORCPT=rfc822;" + BOB)
    expect("Subject: tell me" in next_message("bob"))
    report = email.message_from_string(next_message("alice"), policy=email.policy.default)
    expect_equal(report.get_content_type(), "multipart/report")
    expect_equal(report["Subject"], "Delivered: tell me")
    status = list(report.walk())[2].get_payload()
    expect_equal(status[1]["Action"], "delivered")
    expect_equal(status[1]["Original-Recipient"], f"rfc822;{BOB}")


@test
def a_domain_is_journaled():
    server.deliver("bob", message("kept for ever"), sender="ann@journaled.test")
    expect("Subject: kept for ever" in next_message("bob"))
    journal = email.message_from_string(next_message("keeper"), policy=email.policy.default)
    expect_equal(journal["X-MS-Journal-Report"], "")
    facts, original = journal.iter_parts()
    expect_equal(facts.get_content().splitlines()[:4],
                 ["Sender: ann@journaled.test", "Subject: kept for ever",
                  "Message-Id: <kept-for-ever@remote.test>", f"Recipient: {BOB}"])
    expect_equal(original.get_content()["Subject"], "kept for ever")
    server.deliver("bob", message("not kept"))
    expect("Subject: not kept" in next_message("bob"))
    expect_equal(server.wait_for_messages("keeper", 1), 1)


@test
def a_shared_mailbox_gets_what_is_sent_in_its_name():
    server.run("user", "grant", server.dir, BOB, "--to", ALICE, "--right", "send-as")
    setting(BOB, "--sent-copy", "yes")
    body = mail.simple_message("for bob", sender=BOB, recipient=CAROL)
    with server.smtp("submission") as smtp:
        smtp.ehlo()
        smtp.auth_plain(ALICE, outbound.PASSWORD)
        smtp.send_message(BOB, [CAROL], body)
    expect("Subject: for bob" in next_message("carol"))
    expect_equal(server.wait_for_messages("bob", 1, folder="Sent Items"), 1)


@test
def the_log_tells_what_became_of_a_message():
    submit(server, [BOB, "joe@peer.test", f"nobody2@{DOMAIN}"][:2], outbound.text("traced"))
    wait_until_empty(server)
    expect("Subject: traced" in next_message("bob"))
    events = track("--message-id", "<traced@remote.test>", "--since", "1h")
    expect_equal(sorted(events), [("deliver", BOB), ("receive", BOB), ("receive", "joe@peer.test"),
                                  ("relay", "joe@peer.test")])
    expect_equal(track("--message-id", "traced@remote.test", "--recipient", "@peer.test"),
                 [("receive", "joe@peer.test"), ("relay", "joe@peer.test")])
    expect_equal(track("--sender", "nobody@remote.test"), [])
    expect_equal(track("--until", "2026-01-01"), [])
    newest_two = server.json("track", server.dir, "--limit", "2")
    expect_equal(len(newest_two), 2)
    expect("how long ago" in server.run("track", server.dir, "--since", "soon", check=False).stderr)
    expect("traced" not in "".join(p.read_text().replace("traced@", "")
                                   for p in (server.dir / "track").iterdir()))
    # The same without the server.
    online = server.json("track", server.dir)
    server.stop()
    expect_equal(server.json("track", server.dir), online)
    expect("deliver" in server.run("track", server.dir, "--recipient", BOB).stdout)


def all_is_sound():
    server.run("check", server.dir)
    server.remove()
    peer.stop()


tap.finish(all_is_sound)
