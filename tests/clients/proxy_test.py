#!/usr/bin/python3
"""Listeners behind a load balancer: the PROXY protocol before SMTP and before TLS, with the client's
address in what counts and what is written."""

import imaplib
import smtplib
import socket
import ssl
import struct

from harness import bourse, tap
from harness.bourse import PASSWORD
from harness.tap import expect, expect_equal, test

server = bourse.Server(["alice"], settings={
    "transport": {"trusted": "127.0.0.0/8"},
    "listen": {"proxy": "smtp, imaps, submissions"}}).start()


def version1(client):
    return f"PROXY TCP4 {client} 198.51.100.1 40000 25\r\n".encode()


def version2(client):
    return (b"\r\n\r\n\0\r\nQUIT\n\x21\x11" + struct.pack(">H", 12) + socket.inet_aton(client) +
            socket.inet_aton("198.51.100.1") + struct.pack(">HH", 40000, 25))


def dial(service, header):
    connection = socket.create_connection(server.address(service), timeout=60)
    connection.sendall(header)
    return connection


class ProxiedSMTP(smtplib.SMTP):
    def __init__(self, header):
        self.header = header
        super().__init__(*server.address("smtp"), timeout=60)

    def _get_socket(self, host, port, timeout):
        return dial("smtp", self.header)


@test
def the_header_names_the_client_in_received():
    for number, header in enumerate((version1("192.0.2.5"), version2("192.0.2.6")), 1):
        with ProxiedSMTP(header) as smtp:
            smtp.sendmail("a@remote.test", ["alice@example.test"], b"Subject: x\r\n\r\nx\r\n")
        server.wait_for_messages("alice", number)
    with server.imap("alice") as imap:
        imap.select()
        bodies = imap.fetch_bodies("1:2")
    expect(b"[192.0.2.5]" in bodies[1] and b"[192.0.2.6]" in bodies[2], bodies)


@test
def without_a_header_nothing_is_said():
    for first in (b"EHLO client.test\r\n", b"PROXY TCP4 x\r\n", version2("192.0.2.5")[:-2] + b""):
        with dial("smtp", first) as connection:
            if first.startswith(b"\r\n"):
                connection.shutdown(socket.SHUT_WR)
            try:
                expect_equal(connection.recv(100), b"")
            except ConnectionResetError:
                pass
    server.check_alive()


@test
def tls_begins_after_the_header():
    context = ssl.create_default_context(cafile=str(server.ca))
    raw = dial("imaps", version2("192.0.2.8"))
    with context.wrap_socket(raw, server_hostname="localhost") as tls:
        expect(tls.recv(100).startswith(b"* OK"))
        tls.sendall(f'a LOGIN alice@example.test "{PASSWORD}"\r\n'.encode())
        said = b""
        while b"a " not in said and (more := tls.recv(4096)):
            said += more
        expect(b"a OK" in said, said)


@test
def a_client_behind_the_proxy_is_no_local_one():
    with ProxiedSMTP(version1("192.0.2.9")) as smtp:
        smtp.ehlo("client.test")
        expect("auth" not in smtp.esmtp_features, smtp.esmtp_features)


@test
def other_listeners_are_as_before():
    with imaplib.IMAP4(*server.address("imap")) as imap:
        expect_equal(imap.login("alice@example.test", PASSWORD)[0], "OK")


def finish():
    server.remove()


tap.finish(finish)
