#!/usr/bin/python3
"""The HTTP server: logins by curl (Basic, Bearer, NTLM, Negotiate with a KDC), /health and /metrics, TLS,
the access log, and clients that send nonsense, too much or too slowly."""

import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import tempfile
import time

from harness import bourse, issuer, kdc, tap
from harness.bourse import DOMAIN, PASSWORD
from harness.tap import expect, expect_equal, test

REALM = "EXAMPLE.TEST"
# A path that wants a login and any body, and answers whatever comes of it.
PATH = "/autodiscover/autodiscover.xml"
folder = pathlib.Path(tempfile.mkdtemp(prefix="bourse-http-"))
tokens = issuer.Issuer(folder)
settings = {"auth": {**tokens.settings(), "ntlm": "true"},
            "http": {"access_log": "run/access.log", "idle": "3s"},
            "limits": {"connections_per_address": "8"}}
realm = None
if not kdc.missing():
    realm = kdc.Kdc(REALM).__enter__()
    realm.add("alice", "kerberos alice")
    realm.add("nobody", "kerberos nobody")
    realm.keytab(folder / "keytab", "HTTP/localhost")
    settings["auth"]["gssapi_keytab"] = str(folder / "keytab")
server = bourse.Server(["alice", "bob"], settings=settings)
if realm:
    server.environment.update({"KRB5_CONFIG": realm.env["KRB5_CONFIG"], "KRB5RCACHEDIR": str(folder)})
server.run("user", "set", server.dir, f"bob@{DOMAIN}", "--protocols", "smtp")
server.start()


def curl(path, *words, service="https", env=None, stdin=None):
    """The status of the last answer, all header fields, and the last body."""
    host, port = server.address(service)
    command = ["curl", "--silent", "--show-error", "--include", "--max-time", "30", "--cacert",
               str(server.ca), "--resolve", f"localhost:{port}:{host}", *words,
               f"{service}://localhost:{port}{path}"]
    environment = {**os.environ, **(env or {})}
    environment.pop("LD_PRELOAD", None)
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False,
                          timeout=60, env=environment)
    expect_equal(done.returncode, 0, done.stderr)
    head, status = "", 0
    rest = done.stdout
    while rest.startswith("HTTP/"):
        part, _, rest = rest.partition("\n\n")
        status = int(part.split()[1])
        head += part + "\n"
    return status, head, rest


def login(*words, **kwargs):
    return curl(PATH, "--data", "x", *words, **kwargs)


def logged_in(answer):
    """The request itself is nonsense, so whoever is logged in is told so with 200."""
    expect_equal(answer[0], 200, answer[1])


class Raw:
    """A connection for what no client sends."""

    def __init__(self, service="http"):
        self.socket = socket.create_connection(server.address(service), timeout=30)
        if service == "https":
            context = ssl.create_default_context(cafile=server.ca)
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        self.file = self.socket.makefile("rb")

    def send(self, data):
        self.socket.sendall(data.encode() if isinstance(data, str) else data)

    def answer(self):
        """Status and body; (0, b"") when the connection is closed."""
        line = self.file.readline()
        if not line:
            return 0, b""
        length = 0
        while (field := self.file.readline()) not in (b"\r\n", b""):
            if field.lower().startswith(b"content-length:"):
                length = int(field.split(b":")[1])
        return int(line.split()[1]), self.file.read(length)

    def ask(self, data):
        self.send(data)
        return self.answer()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.file.close()
        self.socket.close()
        return False


@test
def basic():
    status, head, _ = login()
    expect_equal(status, 401)
    for scheme in ("Negotiate", "NTLM", 'Bearer realm="', 'Basic realm="'):
        expect(f"WWW-Authenticate: {scheme}" in head, head)
    logged_in(login("--user", f"alice@{DOMAIN}:{PASSWORD}"))
    logged_in(login("--user", f"alice:{PASSWORD}"))
    logged_in(login("--user", f"EXAMPLE\\alice:{PASSWORD}"))
    expect_equal(login("--user", f"alice@{DOMAIN}:wrong")[0], 401)
    expect_equal(login("--user", f"nobody@{DOMAIN}:{PASSWORD}")[0], 401)
    logged_in(login("--user", f"alice@{DOMAIN}:{PASSWORD}", service="http"))


@test
def bearer():
    logged_in(login("--header", f"Authorization: Bearer {tokens.token(f'alice@{DOMAIN}')}"))
    expect_equal(login("--header", f"Authorization: Bearer {tokens.token(f'nobody@{DOMAIN}')}")[0], 401)
    expect_equal(login("--header", "Authorization: Bearer x.y.z")[0], 401)


@test
def ntlm():
    # What it needs is kept from the next login with the password on.
    server.imap("alice").close()
    status, head, _ = answer = login("--ntlm", "--user", f"alice@{DOMAIN}:{PASSWORD}")
    logged_in(answer)
    expect_equal(head.count("HTTP/1.1 "), 2, head)
    logged_in(login("--ntlm", "--user", f"alice:{PASSWORD}", service="http"))
    expect_equal(login("--ntlm", "--user", f"alice@{DOMAIN}:wrong")[0], 401)
    # The login is of the connection: the second request comes without one.
    host, port = server.address("http")
    url = f"http://{host}:{port}{PATH}"
    done = subprocess.run(["curl", "--silent", "--verbose", "--ntlm", "--user", f"alice:{PASSWORD}", "--data",
                           "x", url, url], capture_output=True, text=True, check=False)
    expect_equal(done.stderr.count("> Authorization: NTLM"), 2, done.stderr)
    expect_equal(done.stderr.count("< HTTP/1.1 200"), 2, done.stderr)


@test
def ntlm_with_large_body():
    large = folder / "large"
    large.write_bytes(b"x" * 700_000)
    status, head, _ = curl(PATH, "--ntlm", "--user", f"alice:{PASSWORD}", "--data-binary", f"@{large}",
                           service="http")
    expect_equal(status, 413, head)  # of this path, not a login that failed


@test
def negotiate():
    if not realm:
        tap.skip("no KDC")
    env = realm.login("alice", "kerberos alice")
    env = {key: env[key] for key in ("KRB5_CONFIG", "KRB5CCNAME")}
    for service in ("https", "http"):
        answer = login("--negotiate", "--user", ":", env=env, service=service)
        logged_in(answer)
        expect("WWW-Authenticate: Negotiate " in answer[1], answer[1])
    env = realm.login("nobody", "kerberos nobody")
    env = {key: env[key] for key in ("KRB5_CONFIG", "KRB5CCNAME")}
    expect_equal(login("--negotiate", "--user", ":", env=env)[0], 401)


@test
def health_and_metrics():
    status, head, body = curl("/health", service="http")
    expect_equal(status, 200, body)
    health = json.loads(body)
    expect_equal(health["status"], "ok")
    for part in ("directory", "store", "queue"):
        expect(health[part]["ok"], body)
    expect("https" in health["listeners"], body)
    status, head, body = curl("/metrics")
    expect_equal(status, 200)
    figures = dict(line.rsplit(" ", 1) for line in body.splitlines() if not line.startswith("#"))
    expect(int(figures['bourse_http_requests_total{code="2xx"}']) > 0, body)
    expect(int(figures["bourse_http_logins_failed_total"]) > 0, body)
    expect("bourse_queue_messages" in figures and "bourse_sessions_total" in figures, body)
    # Somebody behind a proxy on this machine is not this machine.
    expect_equal(curl("/metrics", "--header", "X-Forwarded-For: 192.0.2.1")[0], 403)


@test
def errors():
    for words, wanted in ((["/nothing"], 404), (["/health", "--request", "DELETE"], 405),
                          (["/health", "--data", "x"], 405), (["/HEALTH"], 200),
                          (["/health", "--head"], 200)):
        expect_equal(curl(*words)[0], wanted, words)
    expect("Allow: GET, HEAD" in curl("/health", "--request", "DELETE")[1])


@test
def tls():
    host, port = server.address("https")
    context = ssl.create_default_context(cafile=server.ca)
    with socket.create_connection((host, port)) as s:
        with context.wrap_socket(s, server_hostname="mail." + DOMAIN) as t:
            expect(t.version() in ("TLSv1.2", "TLSv1.3"), t.version())
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection((host, port)) as s:
        try:
            old.wrap_socket(s)
            tap.fail("TLS 1.1 is taken")
        except (ssl.SSLError, OSError):
            pass
    with Raw("http") as raw:  # TLS where there is none
        raw.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500))
        raw.socket.shutdown(socket.SHUT_WR)
        expect(raw.answer()[0] in (0, 400))


@test
def bad_input():
    host = "Host: localhost\r\n"
    cases = (("GET /%00 HTTP/1.1\r\n" + host + "\r\n", 400),
             ("GET /%zz HTTP/1.1\r\n" + host + "\r\n", 400),
             ("GET /health HTTP/1.1\r\n\r\n", 400),  # no Host
             ("GET /health HTTP/1.1\r\n" + host + "X: " + "a" * 200_000 + "\r\n\r\n", 431),
             ("GET /" + "a" * 200_000 + " HTTP/1.1\r\n" + host + "\r\n", 414),
             ("GET /health HTTP/1.1\r\n" + host + "X: y\r\n" * 250 + "\r\n", 431),
             (f"POST {PATH} HTTP/1.1\r\n{host}Content-Length: 99999999999999999999\r\n\r\n", 413),
             (f"POST {PATH} HTTP/1.1\r\n{host}Content-Length: -1\r\n\r\n", 400),
             (f"POST {PATH} HTTP/1.1\r\n{host}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
              400),
             (f"POST {PATH} HTTP/1.1\r\n{host}Transfer-Encoding: gzip\r\n\r\n", 400),
             (f"POST {PATH} HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400))
    for request, wanted in cases:
        with Raw() as raw:
            try:
                status, _ = raw.ask(request)
            except (ConnectionError, BrokenPipeError):
                status = 0
            expect(status in (wanted, 0), f"{request[:70]!r}: {status}, expected {wanted}")
            if len(request) < 1000 and wanted != 413:
                expect(status != 0 or "Content-Length" in request or "Transfer" in request, request)
    server.check_alive()


@test
def slow_clients_are_cut():
    """[http] idle is 3 s here."""
    with Raw() as silent, Raw() as slow:
        slow.send("GET /health HTTP/1.1\r\n")
        start = time.monotonic()
        silent.socket.settimeout(1)
        while True:  # a line now and then, for as long as a head may take
            slow.send("X: y\r\n")
            expect(time.monotonic() - start < 15, "a silent connection stays")
            try:
                expect_equal(silent.socket.recv(1), b"")
                break
            except TimeoutError:
                pass
        expect_equal(slow.ask("Host: localhost\r\n\r\n")[0], 200)


@test
def access_log():
    curl("/health?a=%22", "--header", "User-Agent: x")
    end = time.monotonic() + 10
    while time.monotonic() < end:
        lines = (server.dir / "run" / "access.log").read_text().splitlines()
        if any("/health?a=%22" in line for line in lines):
            break
        time.sleep(0.05)
    line = [line for line in lines if "/health?a=%22" in line][0]
    expect('"GET /health?a=%22" 200 ' in line and line.startswith("127.0.0.1 - - ["), line)
    expect(any(f"127.0.0.1 - alice@{DOMAIN} [" in line for line in lines), "no user in the log")


@test
def certificate_is_read_again():
    import signal
    before = ssl.get_server_certificate(server.address("https"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                    "-nodes", "-subj", "/CN=fresh", "-keyout", str(folder / "k.pem"), "-out",
                    str(folder / "c.pem")], check=True, capture_output=True)
    tls_folder = server.dir / "tls"
    shutil.copy(folder / "c.pem", tls_folder / "cert.pem")
    shutil.copy(folder / "k.pem", tls_folder / "key.pem")
    server.process.send_signal(signal.SIGHUP)
    end = time.monotonic() + 20
    while ssl.get_server_certificate(server.address("https")) == before:
        expect(time.monotonic() < end, "the old certificate stays")
        time.sleep(0.05)


def cleanup():
    server.remove()
    if realm:
        realm.__exit__(None, None, None)
    shutil.rmtree(folder, ignore_errors=True)


tap.finish(cleanup)
