#!/usr/bin/python3
"""exchangelib: folders, finding, synchronization, subscriptions, conversion of ids; and the same items
over IMAP, both ways."""

import sys
import threading
import time

from harness import bourse, mail, tap
from harness.bourse import DOMAIN, PASSWORD
from harness.tap import expect, expect_equal, skip, test

try:
    import exchangelib
    from exchangelib import (DELEGATE, Account, Configuration, Credentials, FaultTolerance, Message, Q)
    from exchangelib.folders import Messages
    from exchangelib.items import CalendarItem  # noqa: F401 (its absence would say that the module is another)
    from exchangelib.protocol import BaseProtocol, NoVerifyHTTPAdapter
    from exchangelib.services import GetStreamingEvents  # noqa: F401
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


def append(user, folder, subject, body="hello"):
    with server.imap(user) as imap:
        imap.append(folder, mail.simple_message(subject, body=body) if body != "hello" else
                    mail.simple_message(subject))


@test
def folders_are_listed_made_renamed_and_deleted():
    a = account()
    names = {f.name for f in a.msg_folder_root.walk()}
    expect({"Inbox", "Drafts", "Calendar", "Contacts", "Tasks"} <= names, names)
    new = Messages(parent=a.inbox, name="Projects")
    new.save()
    expect_equal(new.total_count or 0, 0)
    new.name = "Plans"
    new.save(update_fields=["name"])
    with server.imap("alice") as imap:
        listed = b" ".join(imap.ok('LIST "" "*"')) if isinstance(imap.ok('LIST "" "*"'), list) else \
            str(imap.ok('LIST "" "*"')).encode()
        expect(b"INBOX/Plans" in listed, listed)
    new.refresh()
    new.delete()
    a.inbox.refresh()
    expect("Plans" not in {f.name for f in a.inbox.children}, "still there")


@test
def what_imap_wrote_is_found():
    a = account()
    for i in range(12):
        append("alice", "INBOX", f"found {i:02d}")
    a.inbox.refresh()
    items = list(a.inbox.all().order_by("subject").only("subject", "is_read", "size", "datetime_received"))
    expect_equal([i.subject for i in items], [f"found {i:02d}" for i in range(12)])
    expect_equal(a.inbox.filter(subject="found 05").count(), 1)
    expect_equal(a.inbox.filter(subject__contains="und 0").count(), 10)
    expect_equal(a.inbox.filter(subject__startswith="found 1", is_read=False).count(), 2)
    expect_equal(a.inbox.filter(Q(subject="found 01") | Q(subject="found 02")).count(), 2)
    expect_equal(a.inbox.filter(~Q(subject="found 01")).count(), 11)
    expect_equal(a.inbox.filter("subject:found").count(), 12)
    expect_equal(len(list(a.inbox.all().order_by("-subject")[:3])), 3)
    paged = a.inbox.all().order_by("subject")
    paged.page_size = 5
    expect_equal(len([i.subject for i in paged]), 12)
    expect_equal(a.inbox.filter(datetime_received__lt=exchangelib.EWSDateTime(
        2000, 1, 1, tzinfo=exchangelib.EWSTimeZone("UTC"))).count(), 0)


@test
def what_ews_wrote_is_seen_over_imap():
    a = account()
    Message(account=a, folder=a.drafts, subject="from EWS", body="text").save()
    with server.imap("alice") as imap:
        expect_equal(imap.select("Drafts"), 1)
        line = b"".join(x if isinstance(x, bytes) else str(x).encode() for x in imap.ok("FETCH 1 (ENVELOPE)"))
        expect(b"from EWS" in line, line)
    a.inbox.filter(subject="found 03").delete()
    with server.imap("alice") as imap:
        expect_equal(imap.select(), 11)
        found = imap.ok("SEARCH SUBJECT \"found 03\"")
        expect(b"SEARCH\r" not in found if isinstance(found, bytes) else True, found)


@test
def items_and_folders_are_synchronized():
    a = account("bob")
    for i in range(5):
        append("bob", "INBOX", f"sync {i}")
    changes = list(a.inbox.sync_items())
    expect_equal([c for c, _ in changes], ["create"] * 5)
    state = a.inbox.item_sync_state
    expect_equal(list(a.inbox.sync_items(sync_state=state)), [])
    with server.imap("bob") as imap:
        imap.select()
        imap.ok("STORE 1 +FLAGS (\\Seen)")
        imap.ok("STORE 2 +FLAGS (\\Flagged)")
        imap.ok("STORE 3 +FLAGS (\\Deleted)")
        imap.ok("EXPUNGE")
    append("bob", "INBOX", "sync new")
    state = a.inbox.item_sync_state
    kinds = sorted(c for c, _ in a.inbox.sync_items(sync_state=state))
    expect_equal(kinds, ["create", "delete", "read_flag_change", "update"])
    expect_equal(list(a.inbox.sync_items(sync_state=a.inbox.item_sync_state)), [])
    folders = list(a.root.sync_hierarchy())
    expect(any(f.name == "Inbox" for _, f in folders), folders)
    with server.imap("bob") as imap:
        imap.ok("CREATE Fresh")
    changes = list(a.root.sync_hierarchy(sync_state=a.root.folder_sync_state))
    expect_equal([(c, f.name) for c, f in changes], [("create", "Fresh")])


@test
def pull_subscriptions_tell():
    a = account()
    with a.inbox.pull_subscription() as (subscription, watermark):
        append("alice", "INBOX", "pulled")
        kinds = []
        for notification in a.inbox.get_events(subscription, watermark):
            for event in notification.events:
                kinds.append(event.__class__.__name__)
        expect("CreatedEvent" in kinds, kinds)


@test
def streaming_subscriptions_tell():
    a = account()
    with a.inbox.streaming_subscription() as subscription:
        threading.Timer(1, append, ("alice", "INBOX", "streamed")).start()
        start, kinds = time.monotonic(), []
        for notification in a.inbox.get_streaming_events(subscription, connection_timeout=1,
                                                         max_notifications_returned=1):
            kinds += [e.__class__.__name__ for e in notification.events]
        expect("CreatedEvent" in kinds, kinds)
        expect(time.monotonic() - start < 30, "too late")


@test
def ids_are_converted():
    a = account()
    item = a.inbox.all().only("subject")[0]
    from exchangelib.properties import AlternateId
    forms = list(a.protocol.convert_ids(
        [AlternateId(id=item.id, format="EwsId", mailbox=a.primary_smtp_address)], destination_format="HexEntryId"))
    expect(forms[0].id.startswith("00000000"), forms)
    back = list(a.protocol.convert_ids(
        [AlternateId(id=forms[0].id, format="HexEntryId", mailbox=a.primary_smtp_address)],
        destination_format="EwsId"))
    expect_equal(back[0].id, item.id)


@test
def shared_folders_show_what_they_may():
    a = account()
    server.run("folder", "grant", server.dir, f"alice@{DOMAIN}", "INBOX", f"bob@{DOMAIN}", "reviewer", check=False)
    permissions = a.inbox.permission_set
    expect(permissions is not None and permissions.permissions, permissions)


def finish():
    if not MISSING:
        for a in _accounts.values():
            a.protocol.close()
    server.remove()


sys.setrecursionlimit(10000)
tap.finish(finish)
