"""An SMTP server that takes mail and misbehaves as it is told, for tests of what leaves; and an HTTPS
server with one page, for MTA-STS.

    with Neighbour() as peer:
        peer.address               ("127.0.0.1", port)
        peer.messages              [Message(sender, recipients, options, data, tls, address)]
        peer.rules["RCPT"] = "451 4.2.0 later"     what is answered to a command instead"""

import base64
import dataclasses
import http.server
import pathlib
import socket
import ssl
import subprocess
import threading
import time

from harness import tap


def make_ca(folder, names):
    """A CA and a certificate of it for the names: {"ca", "cert", "key"} of files in the folder."""
    folder = pathlib.Path(folder)
    files = {name: folder / f"{name}.pem" for name in ("ca", "ca-key", "cert", "key", "request")}
    alt = "subjectAltName=" + ",".join(f"DNS:{name}" for name in names)
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run(["openssl", "req", "-x509", *ec, "-days", "30", "-subj", "/CN=Test CA", "-keyout",
                    str(files["ca-key"]), "-out", str(files["ca"])], **quiet)
    subprocess.run(["openssl", "req", *ec, "-subj", f"/CN={names[0]}", "-keyout", str(files["key"]),
                    "-out", str(files["request"])], **quiet)
    (folder / "extensions").write_text(alt + "\n")
    subprocess.run(["openssl", "x509", "-req", "-in", str(files["request"]), "-CA",
                    str(files["ca"]), "-CAkey", str(files["ca-key"]), "-CAcreateserial", "-days",
                    "30", "-extfile", str(folder / "extensions"), "-out", str(files["cert"])], **quiet)
    return files


@dataclasses.dataclass
class Message:
    sender: str
    recipients: list
    options: list  # of MAIL, then of each RCPT
    data: bytes
    tls: bool
    address: str  # that it came to


class Cut(Exception):
    pass


class Neighbour:
    """`rules`: command ("CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "END") to a reply, to None (no
    answer at all), or to a function of the command's argument that gives one of these or raises Cut."""

    EHLO = ("PIPELINING", "8BITMIME", "SIZE 50000000", "DSN", "SMTPUTF8", "ENHANCEDSTATUSCODES")

    def __init__(self, host="127.0.0.1", port=0, tls=None, extensions=EHLO):
        self.extensions = list(extensions)
        self.tls = tls  # files of make_ca
        self.login = None  # (user, password) that must be given by AUTH PLAIN before MAIL
        self.messages, self.rules = [], {}
        self.n_connections = 0
        self.lock = threading.Lock()
        self.arrived = threading.Condition(self.lock)
        self.listener = socket.create_server((host, port), backlog=512)
        self.address = self.listener.getsockname()
        self.open = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.n_connections += 1
                self.open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _rule(self, command, argument, usual):
        rule = self.rules.get(command, usual)
        if callable(rule):
            rule = rule(argument)
        if rule is None:
            time.sleep(3600)
        return rule

    def _serve(self, connection):
        host = connection.getsockname()[0]
        state = {"tls": False, "sender": None, "recipients": [], "options": []}
        try:
            stream = connection.makefile("rb")
            say = lambda text: connection.sendall(text.encode() + b"\r\n")
            say(self._rule("CONNECT", "", "220 neighbour.test ESMTP"))
            while line := stream.readline():
                word, _, argument = line.decode(errors="surrogateescape").strip().partition(" ")
                word = word.upper()
                if word == "EHLO":
                    lines = ["neighbour.test", *self.extensions]
                    if self.tls and not state["tls"]:
                        lines.append("STARTTLS")
                    if self.login:
                        lines.append("AUTH PLAIN")
                    say(self._rule("EHLO", argument, "\r\n".join(
                        f"250{'-' if i < len(lines) - 1 else ' '}{x}" for i, x in enumerate(lines))))
                elif word == "STARTTLS" and self.tls:
                    say("220 go")
                    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                    context.load_cert_chain(self.tls["cert"], self.tls["key"])
                    with self.lock:
                        self.open.discard(connection)
                    connection = context.wrap_socket(connection, server_side=True)
                    with self.lock:
                        self.open.add(connection)
                    stream = connection.makefile("rb")
                    state["tls"] = True
                elif word == "AUTH":
                    wanted = base64.b64encode("\0".join(("", *self.login)).encode()).decode()
                    state["user"] = argument == f"PLAIN {wanted}"
                    say("235 2.7.0 welcome" if state["user"] else "535 5.7.8 who?")
                elif word == "MAIL" and self.login and not state.get("user"):
                    say("530 5.7.0 log in first")
                elif word == "BDAT":
                    size, *last = argument.split(" ")
                    self._take(stream.read(int(size)), say, state, host)
                elif word == "MAIL":
                    path, *options = argument.split(" ")
                    state.update(sender=path[6:-1], recipients=[], options=[options])
                    say(self._rule("MAIL", argument, "250 2.1.0 ok"))
                elif word == "RCPT":
                    path, *options = argument.split(" ")
                    reply = self._rule("RCPT", path[4:-1], "250 2.1.5 ok")
                    if reply.startswith("2"):
                        state["recipients"].append(path[4:-1])
                        state["options"].append(options)
                    say(reply)
                elif word == "DATA":
                    if not state["recipients"]:
                        say("503 5.5.1 no recipients")
                        continue
                    reply = self._rule("DATA", "", "354 go on")
                    say(reply)
                    if reply.startswith("354"):
                        self._data(stream, say, state, host)
                elif word == "QUIT":
                    say("221 bye")
                    return
                else:
                    say("250 ok")
        except (Cut, OSError, ValueError):
            pass
        finally:
            with self.lock:
                self.open.discard(connection)
            connection.close()

    def _data(self, stream, say, state, host):
        lines = []
        while (line := stream.readline()) != b".\r\n":
            if not line:
                return
            lines.append(line[1:] if line.startswith(b".") else line)
        self._take(b"".join(lines), say, state, host)

    def _take(self, data, say, state, host):
        reply = self._rule("END", data, "250 2.0.0 taken")
        if reply.startswith("2"):
            with self.lock:
                self.messages.append(Message(state["sender"], list(state["recipients"]),
                                             list(state["options"]), data, state["tls"], host))
                self.arrived.notify_all()
        say(reply)

    def wait_for(self, n, seconds=60):
        end = time.monotonic() + seconds
        with self.lock:
            while len(self.messages) < n:
                if not self.arrived.wait(end - time.monotonic()):
                    tap.fail(f"{len(self.messages)} of {n} messages after {seconds} s")
            return list(self.messages)

    def hang_up(self):
        """Cuts all connections."""
        with self.lock:
            for connection in self.open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def stop(self):
        """Nobody listens any more."""
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        self.hang_up()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        return False


class PolicyHost:
    """Serves one MTA-STS policy over HTTPS."""

    def __init__(self, files, text, host="127.0.0.1"):
        owner = self
        self.text, self.n_requests = text, 0

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # pylint: disable=invalid-name
                owner.n_requests += 1
                found = self.path == "/.well-known/mta-sts.txt" and owner.text is not None
                body = (owner.text or "").encode()
                self.send_response(200 if found else 404)
                self.send_header("Content-Type", "text/plain")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):  # pylint: disable=arguments-differ
                pass

        self.server = http.server.ThreadingHTTPServer((host, 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files["cert"], files["key"])
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
