#!/usr/bin/python3
"""exchangelib: items of all kinds: made, read, changed, sent, answered, moved, deleted; attachments."""

import datetime
import decimal
import time

from harness import bourse, tap
from harness.bourse import DOMAIN, PASSWORD
from harness.tap import expect, expect_equal, skip, test

try:
    import exchangelib
    from exchangelib import (DELEGATE, Account, Configuration, Contact, Credentials, DistributionList, EWSDate,
                             ExtendedProperty, FaultTolerance, FileAttachment, HTMLBody, ItemAttachment, Mailbox,
                             Message, Task)
    from exchangelib.errors import ErrorItemNotFound
    from exchangelib.indexed_properties import EmailAddress, PhoneNumber, PhysicalAddress
    from exchangelib.items import PostItem
    from exchangelib.properties import Member
    from exchangelib.protocol import BaseProtocol, NoVerifyHTTPAdapter
    MISSING = None
except ImportError as error:
    MISSING = str(error)

server = bourse.Server(["alice", "bob"], settings={"auth": {"plaintext": "loopback"}})
if not MISSING:
    server.start()
    BaseProtocol.HTTP_ADAPTER_CLS = NoVerifyHTTPAdapter
_accounts = {}


def account(user="alice"):
    if MISSING:
        skip(f"python3-exchangelib: {MISSING}")
    if user not in _accounts:
        host, port = server.address("http")
        config = Configuration(
            service_endpoint=f"http://{host}:{port}/EWS/Exchange.asmx", auth_type=exchangelib.BASIC,
            credentials=Credentials(f"{user}@{DOMAIN}", PASSWORD),
            retry_policy=FaultTolerance(max_wait=5), max_connections=4)
        _accounts[user] = Account(f"{user}@{DOMAIN}", config=config, autodiscover=False, access_type=DELEGATE)
    return _accounts[user]


def wait_for(folder, subject, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = list(folder.filter(subject=subject))
        if found:
            return found[0]
        time.sleep(0.1)
    tap.fail(f"no message '{subject}' came into {folder.name}")


@test
def a_draft_is_made_read_changed_and_deleted():
    a = account()
    m = Message(account=a, folder=a.drafts, subject="Draft <&> \u00e9\U0001f600", body=HTMLBody("<p>Text \u00e9</p>"),
                to_recipients=[Mailbox(email_address=f"bob@{DOMAIN}")], cc_recipients=["carol@example.net"],
                categories=["Red", "Blue"], importance="High", sensitivity="Private")
    m.save()
    back = a.drafts.get(id=m.id)
    expect_equal(back.subject, "Draft <&> \u00e9\U0001f600")
    expect("Text \u00e9" in back.body, back.body)
    expect_equal(back.to_recipients[0].email_address, f"bob@{DOMAIN}")
    expect_equal(back.cc_recipients[0].email_address, "carol@example.net")
    expect_equal(sorted(back.categories), ["Blue", "Red"])
    expect_equal((back.importance, back.sensitivity, back.is_draft), ("High", "Private", True))
    expect(back.effective_rights.modify and back.effective_rights.read, back.effective_rights)
    back.subject = "Changed"
    back.body = "Plain"
    back.categories = None
    back.is_read = False
    back.save()
    again = a.drafts.get(id=m.id)
    expect_equal((again.subject, str(again.body).strip(), again.categories, again.is_read),
                 ("Changed", "Plain", None, False))
    expect(again.changekey != m.changekey, "the change key stayed")
    gone = (again.id, again.changekey)  # the client forgets it
    again.delete()
    try:
        expect(isinstance(list(a.fetch([gone]))[0], ErrorItemNotFound), "still there")
    except ErrorItemNotFound:
        pass


@test
def a_message_is_sent_and_answered():
    a, b = account(), account("bob")
    Message(account=a, folder=a.sent, subject="Question", body="How?",
            to_recipients=[f"bob@{DOMAIN}"]).send_and_save()
    came = wait_for(b.inbox, "Question")
    expect_equal(came.sender.email_address, f"alice@{DOMAIN}")
    expect(wait_for(a.sent, "Question").is_read, "the copy is unread")
    came.reply(subject="RE: Question", body="So!")
    answer = wait_for(a.inbox, "RE: Question")
    expect("So!" in answer.text_body and "How?" in answer.text_body, answer.text_body)
    expect_equal(answer.in_reply_to, came.message_id)
    expect_equal(answer.conversation_id.id is not None, True)
    came.forward(subject="FW: Question", body="Look", to_recipients=[f"alice@{DOMAIN}"])
    expect("How?" in wait_for(a.inbox, "FW: Question").text_body, "the original is not in it")


@test
def a_draft_is_sent():
    a, b = account(), account("bob")
    m = Message(account=a, folder=a.drafts, subject="Kept first", body="x", to_recipients=[f"bob@{DOMAIN}"])
    m.save()
    m.attach(FileAttachment(name="kept.bin", content=b"\x00\x01\x02" * 1000))
    m.send()
    came = wait_for(b.inbox, "Kept first")
    expect_equal([x.name for x in came.attachments], ["kept.bin"])
    expect_equal(came.attachments[0].content, b"\x00\x01\x02" * 1000)
    wait_for(a.sent, "Kept first")
    expect_equal(a.drafts.filter(subject="Kept first").count(), 0)


@test
def attachments_are_added_read_and_deleted():
    a = account()
    m = Message(account=a, folder=a.drafts, subject="With attachments", body="x")
    m.save()
    first = FileAttachment(name="first.txt", content=b"first", content_type="text/plain")
    inline = FileAttachment(name="pic.png", content=b"png", is_inline=True, content_id="pic1")
    inner = ItemAttachment(name="inner", item=Message(account=a, subject="Inside", body="deep"))
    m.attach([first, inline, inner])
    back = a.drafts.get(id=m.id)
    by_name = {x.name: x for x in back.attachments}
    expect_equal(set(by_name), {"first.txt", "pic.png", "inner"})
    expect_equal(by_name["first.txt"].content, b"first")
    expect_equal((by_name["pic.png"].is_inline, by_name["pic.png"].content_id), (True, "pic1"))
    expect_equal(by_name["inner"].item.subject, "Inside")
    back.detach(by_name["first.txt"])
    expect_equal({x.name for x in a.drafts.get(id=m.id).attachments}, {"pic.png", "inner"})


@test
def contacts_keep_their_fields():
    a = account()
    c = Contact(account=a, folder=a.contacts, given_name="Eve", surname="Ericson", display_name="Eve Ericson",
                email_addresses=[EmailAddress(email="eve@example.net", label="EmailAddress1")],
                phone_numbers=[PhoneNumber(label="MobilePhone", phone_number="123")],
                physical_addresses=[PhysicalAddress(label="Home", street="Lane 1", city="Ulm", zipcode="89073")],
                birthday=EWSDate(1980, 5, 6), company_name="Firm", job_title="Chief", children=["Abe"],
                body="A note")
    c.save()
    back = a.contacts.get(id=c.id)
    expect_equal((back.given_name, back.surname, back.display_name), ("Eve", "Ericson", "Eve Ericson"))
    expect_equal(back.email_addresses[0].email, "eve@example.net")
    expect_equal([p.phone_number for p in back.phone_numbers if p.phone_number], ["123"])
    home = [x for x in back.physical_addresses if x.label == "Home"][0]
    expect_equal((home.street, home.city, home.zipcode), ("Lane 1", "Ulm", "89073"))
    expect_equal((back.birthday, back.company_name, back.job_title), (EWSDate(1980, 5, 6), "Firm", "Chief"))
    expect_equal(back.children, ["Abe"])
    back.job_title = "Boss"
    back.phone_numbers = [PhoneNumber(label="BusinessPhone", phone_number="456")]
    back.save()
    back = a.contacts.get(id=c.id)
    expect_equal(back.job_title, "Boss")
    expect("456" in [p.phone_number for p in back.phone_numbers], back.phone_numbers)


@test
def tasks_lists_and_posts():
    a = account()
    t = Task(account=a, folder=a.tasks, subject="Do it", due_date=EWSDate(2030, 1, 2),
             status="InProgress", percent_complete=decimal.Decimal(25))
    t.save()
    back = a.tasks.get(id=t.id)
    expect_equal((back.status, back.due_date, float(back.percent_complete)), ("InProgress", EWSDate(2030, 1, 2), 25.0))
    back.complete()
    back = a.tasks.get(id=t.id)
    expect_equal((back.status, back.is_complete), ("Completed", True))
    back.delete(affected_task_occurrences="AllOccurrences")
    d = DistributionList(account=a, folder=a.contacts, display_name="Team",
                         members=[Member(mailbox=Mailbox(name="Bob", email_address=f"bob@{DOMAIN}",
                                                         mailbox_type="Mailbox"))])
    d.save()
    expect_equal([m.mailbox.email_address for m in a.contacts.get(id=d.id).members], [f"bob@{DOMAIN}"])
    p = PostItem(account=a, folder=a.inbox, subject="Posted", body="text")
    p.save()
    expect_equal(a.inbox.get(id=p.id).item_class, "IPM.Post")


@test
def items_are_moved_copied_and_thrown_away():
    a = account()
    m = Message(account=a, folder=a.drafts, subject="Wanders", body="x")
    m.save()
    m.copy(to_folder=a.inbox)
    m.move(to_folder=a.junk)
    expect_equal(m.folder, a.junk)
    expect_equal((a.drafts.filter(subject="Wanders").count(), a.junk.filter(subject="Wanders").count(),
                  a.inbox.filter(subject="Wanders").count()), (0, 1, 1))
    m.move_to_trash()
    expect_equal((a.junk.filter(subject="Wanders").count(), a.trash.filter(subject="Wanders").count()), (0, 1))
    a.inbox.get(subject="Wanders").soft_delete()
    expect_equal(a.inbox.filter(subject="Wanders").count(), 0)


@test
def extended_properties_and_mime():
    class Colour(ExtendedProperty):
        property_set_id = "c11ff724-aa03-4555-9952-8fa248a11c3e"
        property_name = "Colour"
        property_type = "String"

    a = account()
    Message.register("colour", Colour)
    try:
        m = Message(account=a, folder=a.drafts, subject="Coloured", body="x", colour="green")
        m.save()
        expect_equal(a.drafts.get(id=m.id).colour, "green")
        expect_equal(a.drafts.filter(colour="green").count(), 1)
    finally:
        Message.deregister("colour")
    mime = (b"From: Carol <carol@example.net>\r\nTo: alice@example.net\r\nSubject: =?utf-8?q?M=C3=AFme?=\r\n"
            b"Date: Tue, 24 Nov 2026 16:00:00 +0000\r\n\r\nBody\r\n")
    m = Message(account=a, folder=a.inbox, mime_content=mime)
    m.save()
    back = a.inbox.get(id=m.id)
    expect_equal((back.subject, back.author.email_address), ("M\u00efme", "carol@example.net"))
    expect_equal(back.mime_content, mime)
    expect_equal(back.datetime_sent, datetime.datetime(2026, 11, 24, 16, tzinfo=datetime.timezone.utc))


@test
def many_items_are_one_request():
    a = account()
    ids = a.bulk_create(folder=a.drafts, items=[Message(account=a, folder=a.drafts, subject=f"bulk {i}", body="x")
                                                for i in range(30)])
    expect_equal(len(ids), 30)
    items = list(a.fetch(ids, only_fields=["subject"]))
    expect_equal([i.subject for i in items], [f"bulk {i}" for i in range(30)])
    expect_equal(a.bulk_delete(ids), [True] * 30)


def finish():
    for a in _accounts.values():
        a.protocol.close()
    server.remove()


tap.finish(finish)
