"""Plays a conversation file: what a client sends, and what must come back.

    # a comment                          empty lines and comments do nothing
    connect smtp                         opens a connection to the listener of that name
    connect imap as b                    a second one, called b; `b| C: ...` speaks on it
    S: 220 .*                            the next line must match the whole regular expression
    S~ a1 OK .*                          skips lines until one matches
    C: EHLO client.test                  sends the line and CRLF
    C- abc\\n                             sends without CRLF; \\r \\n \\t \\0 \\xHH \\\\ work in both
    bytes 1000 x                         sends 1000 times the (escaped) text
    starttls                             TLS from here on
    wait-mail alice 1                    until alice's Inbox has that many messages
    eof                                  the server closes, without a further word

${user}, ${other}, ${mailbox} (the user's local part), ${password}, ${plain} (base64 for AUTH PLAIN) and
names that an earlier S line caught with
(?P<name>...) are replaced in C lines, and in S lines as literal text."""

import base64
import re

from harness import bourse, mail, tap


class Player:
    def __init__(self, server, variables=None):
        self.server = server
        self.variables = {"user": "alice@" + bourse.DOMAIN, "password": bourse.PASSWORD,
                          "mailbox": "alice", **(variables or {})}
        token = "\0{user}\0{password}".format(**self.variables)
        self.variables.setdefault("plain", base64.b64encode(token.encode()).decode())
        self.connections = {}
        self.where = ""

    def play(self, path):
        name = path.name
        try:
            for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                self.where = f"{name}:{number}"
                if raw.strip() and not raw.lstrip().startswith("#"):
                    self.line(raw)
        except (mail.Closed, OSError) as error:
            tap.fail(f"{self.where}: {type(error).__name__} {error}")
        finally:
            for wire in self.connections.values():
                wire.close()

    def line(self, raw):
        match = re.match(r"(\w+)\| ?(.*)", raw)
        which, raw = match.groups() if match else ("", raw)
        if raw.startswith("connect "):
            words = raw.split()
            name = words[3] if len(words) > 3 else which
            tls = words[1] in ("imaps", "submissions", "pop3s")
            self.connections[name] = mail.Wire(self.server.address(words[1]), timeout=30,
                                               ca=self.server.ca if tls else None)
            return
        if raw.startswith("wait-mail "):
            _, user, n = raw.split()
            self.server.wait_for_messages(self.escaped(user).decode(), int(n))
            return
        wire = self.connections[which]
        kind, rest = raw[:3], raw[3:]
        if kind == "C: ":
            wire.send(self.escaped(rest) + b"\r\n")
        elif raw == "C:":
            wire.send(b"\r\n")
        elif kind == "C- ":
            wire.send(self.escaped(rest))
        elif kind in ("S: ", "S~ "):
            self.expect(wire, rest, skip=kind == "S~ ")
        elif raw.startswith("bytes "):
            _, count, text = raw.split(" ", 2)
            self.send_many(wire, int(count), self.escaped(text))
        elif raw == "starttls":
            wire.start_tls(self.server.ca)
        elif raw == "eof":
            if not wire.at_end():
                tap.fail(f"{self.where}: more came instead of the end: {bytes(wire.buffer)[:200]!r}")
        else:
            tap.fail(f"{self.where}: not understood: {raw}")

    def expect(self, wire, pattern, skip):
        pattern = re.sub(r"\$\{(\w+)\}", lambda m: re.escape(self.variables[m.group(1)]), pattern)
        wanted = re.compile(pattern, re.S)
        seen = []
        while True:
            line = wire.line().decode("utf-8", "replace")
            if match := wanted.fullmatch(line):
                self.variables.update(match.groupdict())
                return
            seen.append(line)
            if not skip or len(seen) > 10000:
                tap.fail(f"{self.where}: got {line[:300]!r}, expected {pattern!r}")

    @staticmethod
    def send_many(wire, count, text):
        block = text * max(1, 65536 // len(text))
        each = len(block) // len(text)
        while count > 0:
            n = min(count, each)
            wire.send(block[:n * len(text)])
            count -= n

    def escaped(self, text):
        text = re.sub(r"\$\{(\w+)\}", lambda m: self.variables[m.group(1)], text)

        def one(match):
            c = match.group(1)
            simple = {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\"}
            return simple[c] if c in simple else chr(int(c[1:], 16))

        # \xHH is a byte; everything else is UTF-8.
        pieces = re.split(r"(\\x[0-9a-fA-F]{2})", text)
        out = b""
        for piece in pieces:
            if re.fullmatch(r"\\x[0-9a-fA-F]{2}", piece):
                out += bytes([int(piece[2:], 16)])
            else:
                out += re.sub(r"\\([rnt0\\])", one, piece).encode()
        return out
