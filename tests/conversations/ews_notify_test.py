#!/usr/bin/python3
"""EWS notifications over the real server: streaming with several subscriptions, push to a listener of
our own, pull; clients that never read and listeners that fail."""

import base64
import http.client
import http.server
import re
import socket
import threading
import time

from harness import bourse, mail, tap
from harness.bourse import DOMAIN, PASSWORD
from harness.tap import expect, test

ENVELOPE = (
    '<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages" '
    'xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"><s:Header>'
    '<t:RequestServerVersion Version="Exchange2013_SP1"/></s:Header><s:Body>{}</s:Body></s:Envelope>')
KINDS = "".join(f"<t:EventType>{k}Event</t:EventType>"
                for k in ("NewMail", "Created", "Deleted", "Modified", "Moved", "Copied"))
INBOX = '<t:FolderIds><t:DistinguishedFolderId Id="inbox"/></t:FolderIds>'
SECONDS = 60

server = bourse.Server(["alice", "bob"], settings={"auth": {"plaintext": "loopback"}}).start()


def headers(user="alice"):
    login = base64.b64encode(f"{user}@{DOMAIN}:{PASSWORD}".encode()).decode()
    return {"Authorization": f"Basic {login}", "Content-Type": "text/xml; charset=utf-8"}


def connect():
    host, port = server.address("http")
    return http.client.HTTPConnection(host, port, timeout=SECONDS)


def ask(body, user="alice", more=None):
    connection = connect()
    connection.request("POST", "/EWS/Exchange.asmx", ENVELOPE.format(body), {**headers(user), **(more or {})})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    ask.fields = answer.headers
    return text


def value(text, element):
    found = re.search(f"<{element}>([^<]*)</{element}>", text)
    expect(found is not None, f"no {element} in {text}")
    return found.group(1)


def subscribe(folder=INBOX, user="alice"):
    answer = ask(f"<m:Subscribe><m:StreamingSubscriptionRequest>{folder}<t:EventTypes>{KINDS}</t:EventTypes>"
                 "</m:StreamingSubscriptionRequest></m:Subscribe>", user, {"X-PreferServerAffinity": "true"})
    return value(answer, "m:SubscriptionId")


class Stream:
    """One GetStreamingEvents; `until` reads on until the text has what is looked for."""

    def __init__(self, ids, minutes=5, user="alice"):
        ids = "".join(f"<t:SubscriptionId>{i}</t:SubscriptionId>" for i in ids)
        self.connection = connect()
        self.connection.request("POST", "/EWS/Exchange.asmx", ENVELOPE.format(
            f"<m:GetStreamingEvents><m:SubscriptionIds>{ids}</m:SubscriptionIds>"
            f"<m:ConnectionTimeout>{minutes}</m:ConnectionTimeout></m:GetStreamingEvents>"), headers(user))
        self.answer = self.connection.getresponse()
        self.text = ""

    def until(self, pattern):
        end = time.monotonic() + SECONDS
        while not (found := re.search(pattern, self.text, re.S)):
            expect(time.monotonic() < end, f"no {pattern} in {self.text}")
            chunk = self.answer.read1(65536)
            expect(chunk, f"ended without {pattern}: {self.text}")
            self.text += chunk.decode()
        self.text = self.text[found.end():]
        return found.group(0)

    def rest(self):
        return self.text + self.answer.read().decode()

    def close(self):
        self.connection.close()


@test
def streaming_tells_of_several_subscriptions():
    first = subscribe()
    expect("X-BackEndOverrideCookie=" in (ask.fields.get("Set-Cookie") or ""), ask.fields)
    drafts = subscribe('<t:FolderIds><t:DistinguishedFolderId Id="drafts"/></t:FolderIds>')
    stream = Stream([first, drafts])
    stream.until("<m:ConnectionStatus>OK</m:ConnectionStatus>")
    server.deliver("alice", mail.simple_message("streamed"))
    seen = stream.until("<t:NewMailEvent>.*?</s:Envelope>")
    expect(first in stream.text or "<t:ItemId Id=" in seen, seen)
    expect("<t:Watermark>" not in seen, "streaming has no watermarks")
    with server.imap("alice") as imap:
        imap.append("Drafts", mail.simple_message("drafted"))
    seen = stream.until(r"<t:Notification>.*?</s:Envelope>")
    expect(drafts in seen and "<t:CreatedEvent>" in seen, seen)
    # What comes while nobody listens waits for the connection.
    stream.close()
    first = subscribe()
    server.deliver("alice", mail.simple_message("meanwhile"))
    server.wait_for_messages("alice", 2)
    stream = Stream([first])
    stream.until("<t:NewMailEvent>")
    # Another connection for the same subscription ends this one.
    second = Stream([first])
    second.until("<m:ConnectionStatus>OK</m:ConnectionStatus>")
    expect("ErrorNewEventStreamConnectionOpened" in stream.rest(), "not told")
    ask(f"<m:Unsubscribe><m:SubscriptionId>{first}</m:SubscriptionId></m:Unsubscribe>")
    expect("<m:ConnectionStatus>Closed</m:ConnectionStatus>" in second.rest(), "not closed")


@test
def streaming_refuses_what_is_wrong():
    mine = subscribe()
    answer = ask("<m:GetStreamingEvents><m:SubscriptionIds><t:SubscriptionId>nobody</t:SubscriptionId>"
                 f"<t:SubscriptionId>{mine}</t:SubscriptionId></m:SubscriptionIds>"
                 "<m:ConnectionTimeout>5</m:ConnectionTimeout></m:GetStreamingEvents>")
    expect("ErrorSubscriptionNotFound" in answer, answer)
    expect("<t:SubscriptionId>nobody</t:SubscriptionId></m:ErrorSubscriptionIds>" in answer, answer)
    answer = ask(f"<m:GetStreamingEvents><m:SubscriptionIds><t:SubscriptionId>{mine}</t:SubscriptionId>"
                 "</m:SubscriptionIds><m:ConnectionTimeout>5</m:ConnectionTimeout></m:GetStreamingEvents>", "bob")
    expect("ErrorSubscriptionAccessDenied" in answer, answer)


@test
def many_subscriptions_wait_without_threads():
    host, port = server.address("http")
    connection = http.client.HTTPConnection(host, port, timeout=SECONDS)
    ids = []
    body = ENVELOPE.format(f"<m:Subscribe><m:StreamingSubscriptionRequest>{INBOX}<t:EventTypes>{KINDS}"
                           "</t:EventTypes></m:StreamingSubscriptionRequest></m:Subscribe>")
    for _ in range(300):
        connection.request("POST", "/ews/exchange.asmx", body, headers("bob"))
        ids.append(value(connection.getresponse().read().decode(), "m:SubscriptionId"))
    threads = threads_of_server()
    streams = [Stream(ids[i:i + 50], user="bob") for i in range(0, 300, 50)]
    for stream in streams:
        stream.until("<m:ConnectionStatus>OK")
    expect(threads_of_server() <= threads + 1, "a connection holds a thread")
    server.deliver("bob", mail.simple_message("to all"))
    for stream in streams:
        for _ in range(50):
            stream.until("<t:NewMailEvent>")
        stream.close()


def threads_of_server():
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
        return int(re.search(r"Threads:\s+(\d+)", status.read()).group(1))


@test
def a_client_that_never_reads_holds_up_nobody():
    sub = subscribe(user="bob")
    host, port = server.address("http")
    lazy = socket.create_connection((host, port), timeout=SECONDS)
    lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    body = ENVELOPE.format(f"<m:GetStreamingEvents><m:SubscriptionIds><t:SubscriptionId>{sub}</t:SubscriptionId>"
                           "</m:SubscriptionIds><m:ConnectionTimeout>5</m:ConnectionTimeout></m:GetStreamingEvents>")
    head = "".join(f"{k}: {v}\r\n" for k, v in headers("bob").items())
    lazy.sendall(f"POST /ews/exchange.asmx HTTP/1.1\r\nHost: x\r\n{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
    other = subscribe(user="bob")
    stream = Stream([other], user="bob")
    with server.imap("bob") as imap:
        n = imap.select()
        for i in range(60):
            imap.ok(f"STORE 1:{n} {'+-'[i % 2]}FLAGS (\\Flagged)")
    stream.until("<t:ModifiedEvent>")
    server.deliver("bob", mail.simple_message("still alive"))
    stream.until("<t:NewMailEvent>")
    stream.close()
    lazy.close()


# --- Push ---

class Listener(http.server.BaseHTTPRequestHandler):
    """Takes notifications as a client's own web service does."""
    status, code, bodies = "OK", 200, []
    arrived = threading.Condition()

    def do_POST(self):  # noqa: N802
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        with Listener.arrived:
            Listener.bodies.append(body)
            status, code = Listener.status, Listener.code
            Listener.arrived.notify_all()
        answer = ('<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
                  '<SendNotificationResult xmlns="http://schemas.microsoft.com/exchange/services/2006/messages">'
                  f"<SubscriptionStatus>{status}</SubscriptionStatus></SendNotificationResult></s:Body></s:Envelope>")
        self.send_response(code)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer.encode())

    def log_message(self, *words):
        pass


listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
threading.Thread(target=listener.serve_forever, daemon=True).start()


def wait_for_push(n, pattern=""):
    with Listener.arrived:
        done = Listener.arrived.wait_for(
            lambda: len([b for b in Listener.bodies if re.search(pattern, b)]) >= n, SECONDS)
    expect(done, f"{len(Listener.bodies)} notifications: {Listener.bodies}")
    return [b for b in Listener.bodies if re.search(pattern, b)][-1]


def subscribe_push(url=None):
    url = url or f"http://127.0.0.1:{listener.server_port}/notify"
    return ask(f"<m:Subscribe><m:PushSubscriptionRequest>{INBOX}<t:EventTypes>{KINDS}</t:EventTypes>"
               f"<t:StatusFrequency>1</t:StatusFrequency><t:URL>{url}</t:URL></m:PushSubscriptionRequest></m:Subscribe>")


@test
def push_reaches_a_listener():
    Listener.bodies.clear()
    sub = value(subscribe_push(), "m:SubscriptionId")
    first = wait_for_push(1)
    expect("<t:StatusEvent>" in first and sub in first, first)
    expect("<m:SendNotification>" in first, first)
    server.deliver("alice", mail.simple_message("pushed"))
    body = wait_for_push(1, "NewMailEvent")
    n = len([b for b in Listener.bodies if "NewMailEvent" in b])
    expect("<t:PreviousWatermark>" in body and "<t:ItemId Id=" in body, body)
    # Who says that it wants no more gets no more.
    Listener.status = "Unsubscribe"
    server.deliver("alice", mail.simple_message("the last"))
    wait_for_push(n + 1, "NewMailEvent")
    Listener.status = "OK"
    end = time.monotonic() + SECONDS
    while "ErrorSubscriptionNotFound" not in ask(
            f"<m:GetEvents><m:SubscriptionId>{sub}</m:SubscriptionId><m:Watermark>AAAA</m:Watermark></m:GetEvents>"):
        expect(time.monotonic() < end, "the subscription is still there")
        time.sleep(0.02)


@test
def push_is_sent_again_after_a_failure():
    Listener.bodies.clear()
    Listener.code = 500
    sub = value(subscribe_push(), "m:SubscriptionId")
    wait_for_push(1)
    Listener.code = 200
    server.deliver("alice", mail.simple_message("again"))
    wait_for_push(1, "NewMailEvent")  # the first try is 5 seconds later
    ask(f"<m:Unsubscribe><m:SubscriptionId>{sub}</m:SubscriptionId></m:Unsubscribe>")


@test
def push_to_nowhere_ends_quietly():
    free = socket.socket()
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
    free.close()
    sub = value(subscribe_push(f"http://127.0.0.1:{port}/"), "m:SubscriptionId")
    server.deliver("alice", mail.simple_message("nobody hears"))
    ask(f"<m:Unsubscribe><m:SubscriptionId>{sub}</m:SubscriptionId></m:Unsubscribe>")
    expect("ErrorInvalidPushSubscriptionUrl" in subscribe_push("ftp://x/"), "taken")


@test
def stopping_ends_streams_in_order():
    stream = Stream([subscribe()])
    stream.until("<m:ConnectionStatus>OK")
    closer = threading.Thread(target=server.stop)
    closer.start()
    expect("<m:ConnectionStatus>Closed</m:ConnectionStatus>" in stream.rest(), "not said")
    closer.join()


def cleanup():
    listener.shutdown()
    server.remove()


tap.finish(cleanup)
