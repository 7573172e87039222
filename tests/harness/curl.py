"""curl as a mail client: one login by one mechanism, to IMAP, POP3 or SMTP."""

import os
import subprocess

LOGIN_DENIED = 67


def login(server, service, mechanism, user, *words, password=None, env=None):
    """The exit status (0: logged in, and something was read or sent), and what was said."""
    host, port = server.address(service)
    scheme = {"submission": "smtp", "submissions": "smtps"}.get(service, service)
    url = f"{scheme}://localhost:{port}/" + {"imap": "INBOX", "imaps": "INBOX"}.get(service, "")
    command = ["curl", "--silent", "--show-error", "--verbose", "--max-time", "30", "--cacert",
               str(server.ca), "--resolve", f"localhost:{port}:{host}", "--user",
               f"{user}:{password or ''}", "--login-options", f"AUTH={mechanism}", *words, url]
    stdin = None
    if scheme.startswith("smtp"):
        command += ["--mail-from", "alice@example.test", "--mail-rcpt", "alice@example.test",
                    "--upload-file", "-"]
        stdin = "Subject: curl\r\n\r\nHello.\r\n"
    elif scheme.startswith("imap"):
        command += ["--request", "NOOP"]
    environment = {**os.environ, **(env or {})}
    environment.pop("LD_PRELOAD", None)
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, errors="replace",
                          check=False, timeout=60, env=environment)
    return done.returncode, done.stdout + done.stderr
