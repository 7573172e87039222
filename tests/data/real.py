"""Real messages that Debian packages carry (unpacked by packaging/deps.sh below build/packages/):
Python's email test data, enmime's, Mailman's and SpamAssassin's. Read with CRLF line ends."""

import pathlib
import re

PACKAGES = pathlib.Path(__file__).resolve().parent.parent.parent / "build" / "packages"
WHERE = [
    ("libpython3.11-testsuite", "usr/lib/python3.11/test/test_email/data/msg_*.txt"),
    ("golang-github-jhillyerd-enmime-dev", "usr/share/gocode/**/testdata/**/*.raw"),
    ("golang-github-jhillyerd-enmime-dev", "usr/share/gocode/**/testdata/**/*.golden"),
    ("mailman3", "usr/lib/python3/dist-packages/mailman/**/*.eml"),
    ("spamassassin", "usr/share/doc/spamassassin/examples/sample-*.txt"),
]


def canonical(data):
    """CRLF line ends, no NUL: the form in which SMTP and IMAP carry a message."""
    data = data.replace(b"\0", b"")
    return re.sub(rb"\r\n|\r|\n", b"\r\n", data)


def messages():
    """(name, bytes), sorted by name, each content once."""
    seen = set()
    for package, pattern in WHERE:
        base = PACKAGES / package
        for path in sorted(base.glob(pattern)) if base.exists() else []:
            data = canonical(path.read_bytes())
            if data and data not in seen:
                seen.add(data)
                yield f"{package.split('-')[0]}-{path.stem}", data
