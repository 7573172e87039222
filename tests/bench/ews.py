"""The part `ews`: FindItem, GetItem, CreateItem, synchronization and streaming notifications over HTTP, two
connections at a time. No peer on Debian speaks EWS."""

import base64
import http.client
import pathlib
import re
import shutil
import statistics
import tempfile
import threading
import time

import peers
from harness import bourse, mail
from harness.bourse import DOMAIN, PASSWORD

ENVELOPE = (
    '<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages" '
    'xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"><s:Header>'
    '<t:RequestServerVersion Version="Exchange2013_SP1"/></s:Header><s:Body>{}</s:Body></s:Envelope>')
INBOX = '<t:DistinguishedFolderId Id="inbox"/>'
CONNECTIONS = 2


class Client:
    def __init__(self, server, user):
        host, port = server.address("http")
        self.connection = http.client.HTTPConnection(host, port, timeout=600)
        login = base64.b64encode(f"{user}@{DOMAIN}:{PASSWORD}".encode()).decode()
        self.headers = {"Authorization": f"Basic {login}", "Content-Type": "text/xml; charset=utf-8"}

    def send(self, body):
        self.connection.request("POST", "/EWS/Exchange.asmx", ENVELOPE.format(body), self.headers)
        return self.connection.getresponse()

    def ask(self, body):
        answer = self.send(body)
        text = answer.read()
        if answer.status != 200 or b'ResponseClass="Error"' in text:
            raise RuntimeError(f"{answer.status} {text[:2000]}")
        return text

    def close(self):
        self.connection.close()


def at_once(server, user, work, n=CONNECTIONS):
    """Runs work(client, number) on n connections; the seconds until all are done."""
    clients = [Client(server, user) for _ in range(n)]
    failures = []

    def run(client, number):
        try:
            work(client, number)
        except Exception as error:  # noqa: BLE001 (told below)
            failures.append(error)

    threads = [threading.Thread(target=run, args=(c, i)) for i, c in enumerate(clients)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - start
    for client in clients:
        client.close()
    if failures:
        raise failures[0]
    return seconds


def find_item(offset, shape="Default"):
    return (f'<m:FindItem Traversal="Shallow"><m:ItemShape><t:BaseShape>{shape}</t:BaseShape></m:ItemShape>'
            f'<m:IndexedPageItemView MaxEntriesReturned="100" Offset="{offset}" BasePoint="Beginning"/>'
            f"<m:ParentFolderIds>{INBOX}</m:ParentFolderIds></m:FindItem>")


def sync(state="", most=512):
    known = f"<m:SyncState>{state}</m:SyncState>" if state else ""
    return ("<m:SyncFolderItems><m:ItemShape><t:BaseShape>Default</t:BaseShape></m:ItemShape>"
            f"<m:SyncFolderId>{INBOX}</m:SyncFolderId>{known}<m:MaxChangesReturned>{most}"
            "</m:MaxChangesReturned></m:SyncFolderItems>")


def state_of(text):
    return re.search(rb"<m:SyncState>([^<]*)<", text).group(1).decode()


def full_sync(client):
    """Everything, from the beginning; (items, the last state)."""
    state, items = "", 0
    while True:
        text = client.ask(sync(state))
        items += text.count(b"<t:Create>")
        state = state_of(text)
        if b"<m:IncludesLastItemInRange>true" in text:
            return items, state


def finding(server, rows, n, rounds):
    requests = 100 // CONNECTIONS

    def pages(client, number):
        for i in range(requests):
            client.ask(find_item((number * requests + i) * 100 * 7 % max(1, n - 100)))

    at_once(server, "reader", pages)  # the view is made
    for _ in range(rounds):
        cpu = peers.cpu_seconds(server.process.pid)
        seconds = at_once(server, "reader", pages)
        cpu = peers.cpu_seconds(server.process.pid) - cpu
        total = requests * CONNECTIONS * 100
        rows.add(f"FindItem, 100 of {n:,}: items", "/s", "Bourse", total / seconds, "10,000/s")
        rows.add(f"FindItem, 100 of {n:,}: CPU an item", "ms", "Bourse", cpu / total * 1000)


def reading(server, rows, rounds):
    client = Client(server, "reader")
    ids = re.findall(rb'<t:ItemId Id="([^"]*)"', client.ask(find_item(0, "IdOnly")))
    client.close()
    items = b"".join(b'<t:ItemId Id="%s"/>' % i for i in ids[:100]).decode()
    request = ("<m:GetItem><m:ItemShape><t:BaseShape>Default</t:BaseShape></m:ItemShape>"
               f"<m:ItemIds>{items}</m:ItemIds></m:GetItem>")

    def get(target, _):
        for _ in range(10):
            target.ask(request)

    for _ in range(rounds):
        seconds = at_once(server, "reader", get)
        rows.add("GetItem with bodies, 100 a request: items", "/s", "Bourse", CONNECTIONS * 1000 / seconds)


def creating(server, rows, rounds):
    one = ("<t:Message><t:Subject>bench {0}</t:Subject><t:Body BodyType=\"Text\">" + "text " * 200 +
           "</t:Body><t:ToRecipients><t:Mailbox><t:EmailAddress>a@remote.test</t:EmailAddress></t:Mailbox>"
           "</t:ToRecipients></t:Message>")

    def create(size):
        request = ('<m:CreateItem MessageDisposition="SaveOnly"><m:SavedItemFolderId><t:DistinguishedFolderId '
                   'Id="drafts"/></m:SavedItemFolderId><m:Items>' + one.format(size) * size + "</m:Items></m:CreateItem>")

        def work(client, _):
            for _ in range(100 // size):
                client.ask(request)
        return work

    for _ in range(rounds):
        for size in (1, 20):
            seconds = at_once(server, "writer", create(size))
            rows.add(f"CreateItem of 1 KB, {size} a request: items", "/s", "Bourse", CONNECTIONS * 100 / seconds)


def synchronizing(server, rows, n, rounds):
    for _ in range(rounds):
        found = []
        seconds = at_once(server, "reader", lambda client, _: found.append(full_sync(client)))
        if any(items < n for items, _ in found):
            raise RuntimeError(f"synchronized {found}, not {n}")
        rows.add(f"SyncFolderItems of {n:,} from the beginning: items", "/s", "Bourse",
                 sum(items for items, _ in found) / seconds, "10,000/s")
    # What changed, in a large folder and in a small one: the same.
    for user, name in (("reader", f"{n:,}"), ("small", "100")):
        client = Client(server, user)
        _, state = full_sync(client)
        times = []
        with server.imap(user) as imap:
            imap.select()
            for i in range(20):
                imap.ok(f"STORE 1:10 {'+-'[i % 2]}FLAGS (\\Flagged)")
                start = time.perf_counter()
                text = client.ask(sync(state))
                times.append(time.perf_counter() - start)
                if text.count(b"<t:Update>") != 10:
                    raise RuntimeError(f"{text.count(b'<t:Update>')} changes, not 10")
                state = state_of(text)
        client.close()
        rows.add(f"SyncFolderItems of 10 changes in a folder of {name}", "s", "Bourse", statistics.median(times),
                 "flat")


KINDS = "<t:EventType>NewMailEvent</t:EventType><t:EventType>CreatedEvent</t:EventType>"


def streaming(server, rows, n, rounds):
    """n subscriptions of 50 users on 50 connections; how long until all of one user's are told, and memory."""
    users = [f"stream{i}" for i in range(50)]
    each = n // len(users)
    for user in users:
        server.add_user(user)
    streams, before = {}, None
    subscribe = (f"<m:Subscribe><m:StreamingSubscriptionRequest><t:FolderIds>{INBOX}</t:FolderIds><t:EventTypes>"
                 f"{KINDS}</t:EventTypes></m:StreamingSubscriptionRequest></m:Subscribe>")
    for user in users:
        client = Client(server, user)
        if before is None:
            client.ask(subscribe)
            before = peers.memory(server.process.pid)
        ids = [re.search(rb"<m:SubscriptionId>([^<]*)<", client.ask(subscribe)).group(1).decode()
               for _ in range(each)]
        names = "".join(f"<t:SubscriptionId>{i}</t:SubscriptionId>" for i in ids)
        answer = client.send(f"<m:GetStreamingEvents><m:SubscriptionIds>{names}</m:SubscriptionIds>"
                             "<m:ConnectionTimeout>30</m:ConnectionTimeout></m:GetStreamingEvents>")
        while b"<m:ConnectionStatus>OK" not in answer.read1(65536):
            pass
        streams[user] = (client, answer)
    rows.add(f"memory of {n:,} streaming subscriptions on {len(users)} connections, each", "B", "Bourse",
             (peers.memory(server.process.pid) - before) / n)
    for i in range(10 * rounds):
        user = users[i % len(users)]
        with server.imap(user) as imap:
            start = time.perf_counter()
            imap.append("INBOX", mail.simple_message(f"fan-out {i}"))
            seen = b""
            while seen.count(b"</t:CreatedEvent>") < each:
                seen += streams[user][1].read1(1 << 20)
            rows.add(f"one event told to {each} streaming subscriptions, with the append", "s", "Bourse",
                     time.perf_counter() - start)
    for client, _ in streams.values():
        client.close()


def ews(_servers, rows, options, write_mbox):
    n = options.folder
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="bourse-bench-"))
    server = bourse.Server(["reader", "writer", "small"], build="plain", settings={
        "auth": {"plaintext": "loopback"}, "store": {"nightly": ""},
        "limits": {"connections_per_address": "20000", "connections": "20000"}})
    try:
        for user, count in (("reader", n), ("small", 100)):
            box = scratch / f"{user}.mbox"
            write_mbox(box, count)
            server.run("import", server.dir, f"{user}@{DOMAIN}", "--folder", "Inbox", "--crlf", "--quiet", box,
                       timeout=7200)
            box.unlink()
        server.start()
        finding(server, rows, n, options.rounds)
        reading(server, rows, options.rounds)
        creating(server, rows, options.rounds)
        synchronizing(server, rows, n, options.rounds)
        streaming(server, rows, options.streams, options.rounds)
    finally:
        server.remove()
        shutil.rmtree(scratch, ignore_errors=True)
