"""A small client of MAPI over HTTP and of the address book, for tests ([MS-OXCMAPIHTTP]).

    with Client(server, "alice") as client:       an emsmdb session: connect, execute, wait, disconnect
    book = Client(server, "alice", "nspi"); book.bind()

Answers are taken apart strictly: a header field or meta-tag that is missing fails the test."""

import base64
import http.client
import ssl
import struct
import uuid

from harness import tap
from harness.bourse import DOMAIN, PASSWORD
from harness.tap import expect, expect_equal

NO_AUX = struct.pack("<I", 0)


def u32(*values):
    return struct.pack(f"<{len(values)}I", *(v & 0xFFFFFFFF for v in values))


def unicode(text):
    return text.encode("utf-16le") + b"\0\0"


class Reader:
    def __init__(self, data):
        self.data, self.pos = data, 0

    def bytes(self, n):
        expect(self.pos + n <= len(self.data), f"cut off at {self.pos} of {len(self.data)}")
        self.pos += n
        return self.data[self.pos - n:self.pos]

    def u8(self):
        return self.bytes(1)[0]

    def u16(self):
        return struct.unpack("<H", self.bytes(2))[0]

    def u32(self):
        return struct.unpack("<I", self.bytes(4))[0]

    def u64(self):
        return struct.unpack("<Q", self.bytes(8))[0]

    def cstring(self):
        end = self.data.index(b"\0", self.pos)
        return self.bytes(end + 1 - self.pos)[:-1]

    def unicode(self):
        start = self.pos
        while self.u16():
            pass
        return self.data[start:self.pos - 2].decode("utf-16le")

    def left(self):
        return len(self.data) - self.pos

    def end(self):
        expect_equal(self.u32(), 0, "AuxiliaryBufferSize")
        expect_equal(self.left(), 0, "bytes behind the answer")


class Answer:
    """code is the last X-ResponseCode; `headers` the fields before the body, lower case."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.raw = status, headers, body
        self.code = int(headers.get("x-responsecode", -1))
        self.tags, self.more = [], {}
        rest = body
        if self.code == 0:
            while not self.tags or self.tags[-1] != "DONE":
                line, found, rest = rest.partition(b"\r\n")
                expect(found and line in (b"PROCESSING", b"PENDING", b"DONE"), f"meta-tag {line!r}")
                self.tags.append(line.decode())
            while True:
                line, found, rest = rest.partition(b"\r\n")
                expect(found, "the additional headers end with an empty line")
                if not line:
                    break
                name, _, value = line.decode().partition(": ")
                self.more[name.lower()] = value
            self.code = int(self.more.get("x-responsecode", 0))
        self.body = Reader(rest)


class Client:
    def __init__(self, server, user="alice", endpoint="emsmdb", service="https", password=PASSWORD):
        self.server, self.endpoint = server, endpoint
        self.user = user if "@" in user else f"{user}@{DOMAIN}"
        self.password, self.service = password, service
        self.cookies, self.counter, self.guid = {}, 0, str(uuid.uuid4()).upper()
        self.connection = None

    def __enter__(self):
        self.connect()
        return self

    def __exit__(self, kind, value, trace):
        if kind is None and self.cookies:
            self.disconnect()
        self.close()
        return False

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def http(self):
        if not self.connection:
            host, port = self.server.address(self.service)
            if self.service == "https":
                context = ssl.create_default_context(cafile=self.server.ca)
                context.check_hostname = False
                self.connection = http.client.HTTPSConnection(host, port, timeout=60, context=context)
            else:
                self.connection = http.client.HTTPConnection(host, port, timeout=60)
        return self.connection

    def begin(self, kind, body=b"", headers=None, method="POST", path=None):
        """Sends; the answer is read by finish(). A field set to None is left out."""
        self.counter += 1
        login = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        fields = {"Authorization": f"Basic {login}", "Content-Type": "application/mapi-http",
                  "X-RequestType": kind, "X-RequestId": f"{{{self.guid}}}:{self.counter}",
                  "X-ClientInfo": f"{{{self.guid}}}:1", "X-ClientApplication": "Outlook/16.0.4266.1003"}
        if self.cookies:
            fields["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        fields.update(headers or {})
        connection = self.http()
        connection.request(method, path or f"/mapi/{self.endpoint}/", body,
                           {k: v for k, v in fields.items() if v is not None})
        return connection

    def finish(self):
        answer = self.connection.getresponse()
        body = answer.read()
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return Answer(answer.status, {k.lower(): v for k, v in answer.headers.items()}, body)

    def ask(self, kind, body=b"", **kwargs):
        self.begin(kind, body, **kwargs)
        return self.finish()

    def call(self, kind, body=b"", **kwargs):
        """The answer's body behind StatusCode, and ErrorCode."""
        answer = self.ask(kind, body, **kwargs)
        expect_equal((answer.status, answer.code), (200, 0), f"{kind}: {answer.raw[:300]!r}")
        expect_equal(answer.tags[0], "PROCESSING")
        expect("x-elapsedtime" in answer.more and "x-starttime" in answer.more, str(answer.more))
        expect_equal(answer.body.u32(), 0, "StatusCode")
        return answer.body, answer.body.u32()

    # --- emsmdb ---

    def dn(self):
        """The user's legacyExchangeDN, by the address book."""
        book = Client(self.server, self.user, "nspi", self.service, self.password)
        book.bind()
        found = book.resolve([f"=SMTP:{self.user}"], [0x3003001F])
        book.close()
        return found[1][0][0]

    def connect(self, dn=None):
        body = (dn or self.dn()).encode() + b"\0" + u32(0, 1252, 0x409, 0x409, 0)
        r, error = self.call("Connect", body)
        polls, retries, delay = r.u32(), r.u32(), r.u32()
        self.prefix, self.display_name = r.cstring().decode(), r.unicode()
        self.aux = r.bytes(r.u32())
        expect_equal(r.left(), 0)
        if error == 0:
            expect(polls and retries and delay, "polling times")
            expect("MapiContext" in self.cookies and "MapiSequence" in self.cookies, str(self.cookies))
        return error

    def execute(self, rops, handles=(), max_out=0x10008, flags=3):
        """One ROP buffer: bytes of the requests and the table of handles. Gives the bytes of the
        responses and the handles."""
        ropsize = 2 + len(rops)
        payload = struct.pack("<H", ropsize) + rops + u32(*handles)
        buffer = struct.pack("<HHHH", 0, 4, len(payload), len(payload)) + payload
        r, error = self.call("Execute", u32(flags, len(buffer)) + buffer + u32(max_out, 0))
        expect_equal(error, 0, "ErrorCode")
        expect_equal(r.u32(), 0, "Flags")
        out = Reader(r.bytes(r.u32()))
        r.end()
        version, head, size, actual = out.u16(), out.u16(), out.u16(), out.u16()
        expect_equal((version, head & 4, size), (0, 4, actual), "RPC_HEADER_EXT")
        body = Reader(out.bytes(size))
        n = body.u16()
        responses = Reader(body.bytes(n - 2))
        return responses, [body.u32() for _ in range(body.left() // 4)]

    def wait(self):
        """Sends NotificationWait on a connection of its own; gives a function for the answer."""
        other = Client(self.server, self.user, self.endpoint, self.service, self.password)
        other.cookies = dict(self.cookies)
        other.begin("NotificationWait", u32(0, 0))

        def answer():
            found = other.finish()
            other.close()
            if found.code != 0:
                return found
            expect_equal((found.body.u32(), found.body.u32()), (0, 0))
            event = found.body.u32()
            found.body.end()
            return event
        return answer

    def disconnect(self):
        r, error = self.call("Disconnect", NO_AUX)
        r.end()
        self.cookies = {}
        return error

    # --- nspi ---

    def bind(self, code_page=1252):
        r, error = self.call("Bind", u32(0) + stat(code_page=code_page) + NO_AUX)
        self.server_guid = r.bytes(16)
        r.end()
        return error

    def unbind(self):
        r, error = self.call("Unbind", u32(0, 0))
        r.end()
        return error

    def resolve(self, names, columns):
        body = u32(0) + stat() + tags(columns) + b"\xff" + u32(len(names)) + b"".join(map(unicode, names))
        r, error = self.call("ResolveNames", body + NO_AUX)
        expect_equal(error, 0)
        r.u32()
        expect_equal(r.u8(), 0xFF)
        results = [r.u32() for _ in range(r.u32())]
        rows = read_rows(r)
        r.end()
        return results, rows

    def query(self, at, columns, count=50, table=()):
        body = u32(0) + at + u32(len(table), *table) + u32(count) + tags(columns)
        r, error = self.call("QueryRows", body + NO_AUX)
        if error:
            return error, None, None
        expect_equal(r.u8(), 0xFF)
        new = b"\xff" + r.bytes(36)
        rows = read_rows(r)
        r.end()
        return 0, new, rows


def stat(sort=0, container=0, current=0, delta=0, position=0, total=0, code_page=1252, locale=0x409):
    return b"\xff" + struct.pack("<IIIiIIIII", sort, container, current, delta, position, total,
                                 code_page, locale, locale)


def tags(columns):
    return b"\0" if columns is None else b"\xff" + u32(len(columns), *columns)


def read_value(r, kind):
    if (kind in (0x1E, 0x1F, 0x102) or kind & 0x1000) and r.u8() == 0:
        return None
    if kind & 0x1000:
        return [read_value(r, kind & ~0x1000) for _ in range(r.u32())]
    if kind == 0x1F:
        return r.unicode()
    if kind == 0x1E:
        return r.cstring().decode("cp1252")
    if kind == 0x102:
        return r.bytes(r.u32())
    if kind == 0x0B:
        return bool(r.u8())
    if kind in (0x03, 0x0A, 0x0D):
        return r.u32()
    if kind in (0x14, 0x40):
        return r.u64()
    tap.fail(f"a value of type {kind:#x}")


def read_rows(r):
    """HasColumnsAndRows, columns and rows; what is missing is None."""
    expect_equal(r.u8(), 0xFF)
    columns = [r.u32() for _ in range(r.u32())]
    rows = []
    for _ in range(r.u32()):
        is_flagged, row = r.u8(), []
        for column in columns:
            flag = r.u8() if is_flagged else 0
            if flag == 0x0A:
                r.u32()
            row.append(read_value(r, column & 0xFFFF) if flag == 0 else None)
        rows.append(row)
    return rows


def read_list(r):
    """An AddressBookPropertyValueList: {tag: value}."""
    found = {}
    for _ in range(r.u32()):
        tag = r.u32()
        found[tag] = read_value(r, tag & 0xFFFF)
    return found
