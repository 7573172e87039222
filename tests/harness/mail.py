"""Small SMTP, LMTP and IMAP clients that say exactly what they are told to, for tests that care
about bytes and that must also misbehave."""

import base64
import re
import socket
import ssl
import zlib

from harness import tap


class Closed(Exception):
    """The server closed the connection."""


def tls_context(ca):
    context = ssl.create_default_context(cafile=str(ca))
    return context


class Wire:
    """A connection that is read by lines and by counts."""

    def __init__(self, address, ca=None, timeout=60, server_name="localhost"):
        self.address = address
        self.socket = socket.create_connection(address, timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()
        self.packer = self.unpacker = None
        if ca:
            self.start_tls(ca, server_name)

    def start_tls(self, ca, server_name="localhost"):
        if self.buffer:
            tap.fail(f"plaintext left before TLS: {bytes(self.buffer)!r}")
        self.socket = tls_context(ca).wrap_socket(self.socket, server_hostname=server_name)

    def start_deflate(self):
        """What goes both ways is a stream of [RFC 1951] from here on."""
        self.packer = zlib.compressobj(wbits=-15)
        self.unpacker = zlib.decompressobj(wbits=-15)

    def send(self, data):
        if self.packer:
            data = self.packer.compress(data) + self.packer.flush(zlib.Z_SYNC_FLUSH)
        self.socket.sendall(data)

    def fill(self):
        try:
            data = self.socket.recv(262144)
        except ConnectionError as error:
            raise Closed(str(error)) from error
        if not data:
            raise Closed("end of stream")
        self.buffer += self.unpacker.decompress(data) if self.unpacker else data

    def line(self):
        """The next line without its end."""
        start = 0
        while (end := self.buffer.find(b"\n", start)) < 0:
            start = len(self.buffer)
            self.fill()
        line = bytes(self.buffer[:end])
        del self.buffer[:end + 1]
        return line[:-1] if line.endswith(b"\r") else line

    def read(self, n):
        while len(self.buffer) < n:
            self.fill()
        data = bytes(self.buffer[:n])
        del self.buffer[:n]
        return data

    def at_end(self):
        """True when the server closes without sending more."""
        try:
            while True:
                self.fill()
        except Closed:
            return not self.buffer

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def dot_stuffed(message):
    """As sent after DATA: CRLF line ends are the caller's; dots doubled, the final dot added."""
    body = re.sub(rb"(?m)^\.", b"..", message)
    return body + (b"" if body.endswith(b"\r\n") else b"\r\n") + b".\r\n"


class Smtp(Wire):
    def __init__(self, address, ca=None, timeout=60, greet=True):
        super().__init__(address, ca, timeout)
        if greet:
            code, lines = self.reply()
            if code != 220:
                raise Closed(f"greeting {code} {lines}")

    def reply(self):
        lines = []
        while True:
            line = self.line()
            match = re.match(rb"(\d\d\d)([ -]?)(.*)", line, re.S)
            if not match:
                tap.fail(f"not an SMTP reply: {line!r}")
            lines.append(match.group(3))
            if match.group(2) != b"-":
                return int(match.group(1)), lines

    def command(self, text):
        self.send(text.encode() if isinstance(text, str) else text)
        self.send(b"\r\n")
        return self.reply()

    def expect(self, code, text):
        got, lines = self.command(text)
        if got != code:
            tap.fail(f"{text!r} got {got} {lines}, expected {code}")
        return lines

    def ehlo(self, name="client.test"):
        return [line.decode() for line in self.expect(250, f"EHLO {name}")]

    def lhlo(self, name="client.test"):
        return self.expect(250, f"LHLO {name}")

    def auth_plain(self, user, password):
        token = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
        return self.command("AUTH PLAIN " + token)

    def send_message(self, sender, recipients, message, options=""):
        """One transaction; fails unless it is accepted for all recipients."""
        self.expect(250, f"MAIL FROM:<{sender}>{options}")
        for recipient in recipients:
            self.expect(250, f"RCPT TO:<{recipient}>")
        self.expect(354, "DATA")
        self.send(dot_stuffed(message))
        code, lines = self.reply()
        if code != 250:
            tap.fail(f"message refused: {code} {lines}")
        return lines


class Imap(Wire):
    def __init__(self, address, ca=None, timeout=60):
        super().__init__(address, ca, timeout)
        self.tag = 0
        self.greeting = self.response()

    def response(self):
        """One response line; literals stay inline after their {n}, and also go to self.literals."""
        self.literals = []
        line = self.line()
        whole = line
        while match := re.search(rb"\{(\d+)\}$", line):
            literal = self.read(int(match.group(1)))
            self.literals.append(literal)
            line = self.line()
            whole += b"\r\n" + literal + line
        return whole

    def start(self, text):
        self.tag += 1
        tag = b"a%d" % self.tag
        self.send(tag + b" " + (text.encode() if isinstance(text, str) else text) + b"\r\n")
        return tag

    def finish(self, tag):
        """Reads up to the tagged response: ("OK", text, [untagged...])."""
        untagged = []
        self.all_literals = []
        while True:
            line = self.response()
            self.all_literals += self.literals
            if line.startswith(tag + b" "):
                status, _, text = line[len(tag) + 1:].partition(b" ")
                return status.decode().upper(), text, untagged
            untagged.append(line)

    def command(self, text):
        return self.finish(self.start(text))

    def ok(self, text):
        status, message, untagged = self.command(text)
        if status != "OK":
            tap.fail(f"{text!r}: {status} {message!r}")
        return untagged

    def login(self, user, password):
        self.ok(f'LOGIN {quoted(user)} {quoted(password)}')

    def select(self, folder="INBOX"):
        """Number of messages."""
        for line in self.ok(f"SELECT {quoted(folder)}"):
            if match := re.match(rb"\* (\d+) EXISTS", line):
                return int(match.group(1))
        tap.fail("no EXISTS in SELECT")

    def status(self, folder, items):
        for line in self.ok(f"STATUS {quoted(folder)} ({items})"):
            if match := re.match(rb"\* STATUS .* \(([^()]*)\)\s*$", line, re.S):
                words = match.group(1).decode().split()
                return {words[i].upper(): int(words[i + 1]) for i in range(0, len(words), 2)}
        tap.fail("no STATUS response")

    def append(self, folder, message, flags=""):
        """Appends with a synchronizing literal; the new UID, or None without UIDPLUS."""
        tag = self.start(f"APPEND {quoted(folder)} ({flags}) {{{len(message)}}}")
        while not (line := self.response()).startswith(b"+"):
            if line.startswith(tag):
                tap.fail(f"APPEND: {line!r}")
        self.send(message + b"\r\n")
        status, text, _ = self.finish(tag)
        if status != "OK":
            tap.fail(f"APPEND: {status} {text!r}")
        match = re.search(rb"APPENDUID \d+ (\d+)", text)
        return int(match.group(1)) if match else None

    def fetch_bodies(self, what="1:*", uid=False):
        """{sequence number: bytes} of BODY.PEEK[]."""
        result = {}
        tag = self.start(("UID " if uid else "") + f"FETCH {what} (BODY.PEEK[])")
        while True:
            line = self.response()
            if line.startswith(tag + b" "):
                if not line[len(tag) + 1:].upper().startswith(b"OK"):
                    tap.fail(f"FETCH: {line!r}")
                return result
            if (match := re.match(rb"\* (\d+) FETCH ", line)) and self.literals:
                result[int(match.group(1))] = self.literals[0]

    def fetch_flags(self, what="1:*"):
        """{uid: set of flags}."""
        result = {}
        for line in self.ok(f"UID FETCH {what} (FLAGS)"):
            uid = re.search(rb"UID (\d+)", line)
            flags = re.search(rb"FLAGS \(([^)]*)\)", line)
            if uid and flags:
                result[int(uid.group(1))] = {f.decode() for f in flags.group(1).split()}
        return result

    def idle(self):
        """Starts IDLE; read with response(), end with done()."""
        tag = self.start("IDLE")
        line = self.response()
        while not line.startswith(b"+"):
            line = self.response()
        return tag

    def done(self, tag):
        self.send(b"DONE\r\n")
        return self.finish(tag)

    def logout(self):
        try:
            self.command("LOGOUT")
        except (Closed, OSError):
            pass
        self.close()


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def simple_message(subject, body="Hello.\r\n", sender="sender@remote.test",
                   recipient="alice@example.test", message_id=None, extra=""):
    return (f"From: Sender <{sender}>\r\nTo: <{recipient}>\r\nSubject: {subject}\r\n"
            f"Date: Mon, 02 Nov 2026 09:00:00 +0000\r\n"
            f"Message-ID: <{message_id or subject.replace(' ', '-')}@remote.test>\r\n{extra}"
            f"\r\n{body}").encode()
