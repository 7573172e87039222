#!/usr/bin/python3
"""Makes mail for the tests, the same on every run: well-formed messages of every shape, malformed
ones, and variations of real ones. Line ends are CRLF unless a message is about line ends.

    tests/data/generate.py OUT [COUNT]      writes OUT/NNNNN-kind.eml

As a module: messages(count) and variations(name, message) yield (name, bytes)."""

import base64
import pathlib
import quopri
import random
import sys

CHARSETS = {
    "us-ascii": "The quick brown fox jumps over the lazy dog.",
    "utf-8": "Grüße, καλημέρα, здравствуйте, שלום, 你好, こんにちは, 안녕하세요, 😀🇩🇪👩‍👩‍👧",
    "iso-8859-1": "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich. ¿Qué tal, señor?",
    "iso-8859-2": "Příliš žluťoučký kůň úpěl ďábelské ódy.",
    "iso-8859-5": "Съешь же ещё этих мягких французских булок",
    "iso-8859-7": "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία",
    "iso-8859-8": "דג סקרן שט בים מאוכזב ולפתע מצא חברה",
    "iso-8859-9": "Pijamalı hasta yağız şoföre çabucak güvendi.",
    "iso-8859-15": "Le cœur déçu mais l'âme plutôt naïve, 100 €",
    "windows-1250": "Zażółć gęślą jaźń – „cytat”",
    "windows-1251": "В чащах юга жил бы цитрус? Да, но фальшивый экземпляр!",
    "windows-1252": "“Smart quotes” — and a dash… €",
    "windows-1255": "עטלף אבק נס דרך מזגן",
    "windows-1256": "صِف خَلقَ خَودِ كَمِثلِ الشَمسِ",
    "koi8-r": "Эй, жлоб! Где туз? Прячь юных съёмщиц в шкаф.",
    "koi8-u": "Чуєш їх, доцю, га? Кумедна ж ти",
    "gb2312": "天地玄黄宇宙洪荒",
    "gb18030": "視野無限廣，窗外有藍天",
    "big5": "視野無限廣，窗外有藍天",
    "shift_jis": "いろはにほへと ちりぬるを",
    "euc-jp": "色は匂へど散りぬるを",
    "iso-2022-jp": "わかよたれそつねならむ",
    "euc-kr": "다람쥐 헌 쳇바퀴에 타고파",
    "iso-2022-kr": "키스의 고유조건은",
    "tis-620": "เป็นมนุษย์สุดประเสริฐเลิศคุณค่า",
    "utf-7": "Grüße aus Köln",
    "utf-16": "Grüße",
    "hz": "天地玄黄",
}
NAMES = ["Ann Example", "Müller, Jürgen", "Иван Петров", "山田太郎", "O'Brien", 'The "Boss"', "a.b (c)",
         "Zoë", "=?fake?=", ""]
LONG_TEXT = " ".join(f"word{i}" for i in range(400))


def encoded_word(text, charset, how):
    raw = text.encode(charset, "replace")
    if how == "B":
        return f"=?{charset}?B?{base64.b64encode(raw).decode()}?="
    return f"=?{charset}?Q?" + "".join(
        chr(b) if chr(b).isalnum() and b < 128 else "_" if b == 32 else f"={b:02X}" for b in raw) + "?="


def wrap(data, width=76):
    text = base64.b64encode(data).decode()
    return "\r\n".join(text[i:i + width] for i in range(0, len(text), width))


def quoted(data):
    return quopri.encodestring(data.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")


def header(number, subject, extra="", sender="Sender <sender@remote.test>"):
    if isinstance(sender, str):
        sender = sender.encode()
    if isinstance(subject, str):
        subject = subject.encode()
    if isinstance(extra, str):
        extra = extra.encode()
    return (b"From: " + sender + b"\r\nTo: Alice <alice@example.test>\r\nSubject: " + subject +
            b"\r\nDate: Mon, %02d Nov 2026 %02d:%02d:%02d +0100\r\n" %
            (1 + number % 30, number % 24, number % 60, number * 7 % 60) +
            b"Message-ID: <generated.%d@corpus.test>\r\n" % number + extra)


def text_part(random_, charset, how):
    raw = (CHARSETS[charset] + "\r\n") * (1 + random_.randrange(20))
    raw = raw.encode(charset, "replace")
    if how == "base64":
        raw = wrap(raw).encode() + b"\r\n"
    elif how == "quoted-printable":
        raw = quoted(raw)
    return (f"Content-Type: text/plain; charset={charset}\r\n"
            f"Content-Transfer-Encoding: {how}\r\n").encode(), raw


def is_wire_safe(charset):
    """False for charsets whose text cannot stand in a body line by line."""
    return charset not in ("utf-16",)


def simple(n, r):
    charset = r.choice([c for c in CHARSETS if is_wire_safe(c)])
    how = r.choice(["7bit", "8bit", "base64", "quoted-printable"])
    head, body = text_part(r, charset, how)
    subject = encoded_word(CHARSETS[charset][:30], charset, r.choice("BQ"))
    name = r.choice(NAMES)
    sender = (encoded_word(name, "utf-8", "Q") if not name.isascii() else f'"{name}"'.replace(
        '"The "Boss""', '"The \\"Boss\\""')) + " <sender@remote.test>"
    return f"text-{charset}-{how}", header(n, subject, b"MIME-Version: 1.0\r\n" + head, sender) + \
        b"\r\n" + body


def raw_8bit(n, r):
    charset = r.choice(["utf-8", "iso-8859-1", "windows-1251", "shift_jis", "gb18030"])
    text = CHARSETS[charset].encode(charset, "replace")
    return f"raw8bit-{charset}", header(n, text, b"X-Raw: \xff\xfe " + text + b"\r\n",
                                        text + b" <sender@remote.test>") + b"\r\n" + text + b"\r\n"


def multipart(parts, subtype, n, parameters=b""):
    boundary = b"=_%s_%d" % (subtype.encode(), n)
    body = b"".join(b"--" + boundary + b"\r\n" + part + (b"" if part.endswith(b"\r\n") else b"\r\n")
                    for part in parts) + b"--" + boundary + b"--\r\n"
    return (b"Content-Type: multipart/" + subtype.encode() + b"; boundary=\"" + boundary + b"\"" +
            parameters + b"\r\n"), body


def alternative(n, r):
    head, body = text_part(r, "utf-8", "quoted-printable")
    html = b"<html><body><p>" + CHARSETS["utf-8"].encode() + b"</p></body></html>\r\n"
    top, whole = multipart([head + b"\r\n" + body, b"Content-Type: text/html; charset=utf-8\r\n"
                            b"Content-Transfer-Encoding: 8bit\r\n\r\n" + html], "alternative", n)
    return "alternative", header(n, f"alternative {n}", b"MIME-Version: 1.0\r\n" + top) + b"\r\n" + whole


def attachment_names(text):
    """One file name in every encoding in use."""
    percent = "".join(f"%{b:02X}" for b in text.encode())
    return [
        f'filename="{text}"'.encode(), f'filename="{encoded_word(text, "utf-8", "B")}"'.encode(),
        f"filename*=utf-8''{percent}".encode(),
        f"filename*0*=utf-8''{percent[:12]};\r\n filename*1*={percent[12:]}".encode(),
        f'filename*0="{text[:3]}"; filename*1="{text[3:]}"'.encode(), b"filename=" + b"a" * 300 + b".txt",
        b'filename="..\\\\..\\\\etc/passwd"', b'filename="no end', b"filename=", b'filename="a\\"b.txt"',
    ]


def mixed(n, r):
    head, body = text_part(r, r.choice(["utf-8", "iso-8859-1"]), "quoted-printable")
    parts = [head + b"\r\n" + body]
    for name in r.sample(attachment_names("Übersicht 2026.pdf"), 3):
        data = r.randbytes(r.choice([0, 1, 57, 58, 1000, 20000]))
        parts.append(b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n"
                     b"Content-Disposition: attachment; " + name + b"\r\n\r\n" + wrap(data).encode())
    top, whole = multipart(parts, "mixed", n)
    return "mixed", header(n, f"mixed {n}", b"MIME-Version: 1.0\r\n" + top) + b"\r\npreamble\r\n" + \
        whole + b"epilogue\r\n"


def related(n, r):
    html = b'<html><img src="cid:pic@x"></html>\r\n'
    picture = r.randbytes(r.randrange(5000))
    top, whole = multipart([
        b"Content-Type: text/html\r\n\r\n" + html,
        b"Content-Type: image/png; name=pic.png\r\nContent-ID: <pic@x>\r\n"
        b"Content-Transfer-Encoding: base64\r\nContent-Disposition: inline\r\n\r\n" +
        wrap(picture).encode()], "related", n, b"; type=\"text/html\"")
    return "related", header(n, f"related {n}", b"MIME-Version: 1.0\r\n" + top) + b"\r\n" + whole


def embedded(n, r):
    inner = raw_8bit(n + 1_000_000, r)[1]
    for _ in range(r.randrange(4)):
        top, whole = multipart([b"Content-Type: text/plain\r\n\r\nforwarded\r\n",
                                b"Content-Type: message/rfc822\r\n\r\n" + inner], "mixed", n)
        inner = header(n + 2_000_000, "inner", b"MIME-Version: 1.0\r\n" + top) + b"\r\n" + whole
    top, whole = multipart([b"Content-Type: message/rfc822\r\nContent-Disposition: attachment\r\n\r\n" +
                            inner], "mixed", n + 7)
    return "embedded", header(n, f"embedded {n}", b"MIME-Version: 1.0\r\n" + top) + b"\r\n" + whole


def report(n, _r):
    top, whole = multipart([
        b"Content-Type: text/plain\r\n\r\nYour message could not be delivered.\r\n",
        b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.test\r\n\r\n"
        b"Final-Recipient: rfc822; nobody@remote.test\r\nAction: failed\r\nStatus: 5.1.1\r\n",
        b"Content-Type: text/rfc822-headers\r\n\r\n" + header(n, "lost")], "report", n,
        b"; report-type=delivery-status")
    return "report", header(n, "Undelivered", b"MIME-Version: 1.0\r\nAuto-Submitted: auto-replied\r\n" +
                            top, "<>") + b"\r\n" + whole


def headers_of_every_kind(n, r):
    extra = b"".join(r.sample([
        b"References: " + b" ".join(b"<ref.%d.%d@corpus.test>" % (n, i) for i in range(60)) + b"\r\n",
        b"In-Reply-To: <x@y> (comment (nested) here)\r\n", b"X-Empty:\r\n", b"X-Space: \r\n",
        b"X-Fold: a\r\n\tb\r\n  c\r\n", b"X-Long: " + b"y" * 5000 + b"\r\n", b"Subject: second\r\n",
        b"Cc: undisclosed-recipients:;, Friends: a@b, \"C, D\" <c@d>;\r\n", b"Reply-To: @a,@b:x@y\r\n",
        b"Bcc: hidden@example.test\r\n", b"Received: from a by b; Mon, 2 Nov 2026 09:00:00 +0000\r\n" * 40,
        b"Date: not a date\r\n", b"Content-Type: text/plain; charset=\"\"\r\n", b"Importance: High\r\n",
        b"X-Priority: 1 (Highest)\r\n", b"Sender: <>\r\n", b"Thread-Index: AdQ=\r\n",
        "Subject: smtputf8 señor\r\n".encode(), "X-IDN: <user@bücher.example>\r\n".encode(),
        b"Disposition-Notification-To: a@b\r\n", b"List-Id: <list.test>\r\n", b"Keywords: a, b\r\n",
        b"Message-ID: no brackets\r\n", b"MIME-Version: 1.0 (x)\r\n", b"Content-Type: ;;;\r\n",
    ], 8))
    return "headers", header(n, f"headers {n}", extra) + b"\r\nbody\r\n"


def malformed(n, r):
    boundary = b"b%d" % n
    top = b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=" + boundary + b"\r\n"
    part = b"--" + boundary + b"\r\nContent-Type: text/plain\r\n\r\ntext\r\n"
    kinds = {
        "no-end-boundary": header(n, "x", top) + b"\r\n" + part,
        "no-boundary": header(n, "x", b"Content-Type: multipart/mixed\r\n") + b"\r\n" + part,
        "empty-boundary": header(n, "x", b"Content-Type: multipart/mixed; boundary=\"\"\r\n") + b"\r\n--\r\n",
        "boundary-prefix": header(n, "x", top) + b"\r\n--" + boundary + b"x\r\n\r\na\r\n" + part,
        "long-boundary": header(n, "x", b"Content-Type: multipart/mixed; boundary=" + b"z" * 2000 +
                                b"\r\n") + b"\r\n--" + b"z" * 2000 + b"\r\n\r\nx\r\n",
        "bad-base64": header(n, "x", b"Content-Transfer-Encoding: base64\r\n") + b"\r\n=A=B!!\xff\r\nQUJD",
        "bad-qp": header(n, "x", b"Content-Transfer-Encoding: quoted-printable\r\n") + b"\r\n=GG=\r\n=4",
        "unknown-encoding": header(n, "x", b"Content-Transfer-Encoding: x-uue\r\n") + b"\r\nbegin\r\n",
        "unknown-charset": header(n, "=?x-klingon?B?YWJj?=", b"Content-Type: text/plain; charset=x-klingon"
                                  b"\r\n") + b"\r\nabc\r\n",
        "broken-encoded-word": header(n, "=?utf-8?B?////?= =?utf-8?Q?=C3?= =?utf-8?Q?=?= =?=?=") + b"\r\nx\r\n",
        "header-only": header(n, "header only"),
        "no-blank-line": header(n, "x") + b"this is not a header\r\nmore\r\n",
        "starts-with-blank": b"\r\n" + header(n, "after a blank line"),
        "colon-first": b": value\r\n" + header(n, "x") + b"\r\nbody\r\n",
        "continuation-first": b" continued\r\n" + header(n, "x") + b"\r\nbody\r\n",
        "from-line": b"From sender@remote.test Mon Nov  2 09:00:00 2026\r\n" + header(n, "x") + b"\r\nb\r\n",
        "one-byte": bytes([33 + n % 90]) + b"%d" % n,
        "only-blank": b"\r\n" * (1 + n % 50) + b"%d\r\n" % n,
        "long-line": header(n, "x") + b"\r\n" + b"q" * (100_000 + n % 1000) + b"\r\n",
        "many-headers": b"".join(b"X-%d: %d\r\n" % (i, n) for i in range(2000)) + b"\r\nx\r\n",
        "many-parts": header(n, "x", top) + b"\r\n" + part * 2000 + b"--" + boundary + b"--\r\n",
        "deep-rfc822": b"".join(header(n + i, "d", b"Content-Type: message/rfc822\r\n") + b"\r\n"
                                for i in range(120)) + b"end\r\n",
        "parameter-flood": header(n, "x", b"Content-Type: text/plain" + b"".join(
            b"; p%d=v" % i for i in range(3000)) + b"\r\n") + b"\r\nx\r\n",
        "address-flood": header(n, "x", b"Cc: " + b",\r\n ".join(
            b"u%d@corpus.test" % i for i in range(5000)) + b"\r\n") + b"\r\nx\r\n",
        "comment-depth": header(n, "x", b"Cc: " + b"(" * 5000 + b")" * 5000 + b" a@b\r\n") + b"\r\nx\r\n",
        "group-open": header(n, "x", b"Cc: a: b: c: <<<d@e\r\n") + b"\r\nx\r\n",
        "same-boundary-nested": header(n, "x", top) + b"\r\n--" + boundary +
                                b"\r\nContent-Type: multipart/mixed; boundary=" + boundary +
                                b"\r\n\r\n" + part + b"--" + boundary + b"--\r\n",
        "dots": header(n, "dots") + b"\r\n.\r\n..\r\n...\r\n.x\r\n",
        "no-final-line-end": header(n, "x") + b"\r\nlast line without an end",
        "trailing-space": header(n, "x") + b"\r\nspace \r\ntab\t\r\n \r\n\r\n\r\n",
        "mixed-rfc2231": header(n, "x", b"Content-Type: text/plain; name*0*=utf-8''a%; name*2=c; name*1=%ZZ"
                                b"\r\n") + b"\r\nx\r\n",
    }
    name = sorted(kinds)[n % len(kinds)]
    return "malformed-" + name, kinds[name]


def deep(n, r, depth=None):
    depth = depth or r.choice([10, 30, 60, 99, 100, 101, 150])
    top, body = b"Content-Type: text/plain\r\n", b"innermost\r\n"
    opening, closing = [], []
    for i in range(depth):
        b = b"d%d" % i
        opening.append(b"Content-Type: multipart/mixed; boundary=" + b + b"\r\n\r\n--" + b + b"\r\n")
        closing.append(b"--" + b + b"--\r\n")
    whole = b"".join(opening) + top + b"\r\n" + body + b"".join(reversed(closing))
    return f"deep-{depth}", header(n, f"deep {depth}", b"MIME-Version: 1.0\r\n") + whole


def big(n, size):
    """An attachment of `size` bytes before encoding."""
    data = random.Random(n).randbytes(size)
    top, whole = multipart([b"Content-Type: text/plain\r\n\r\nsee attachment\r\n",
                            b"Content-Type: application/octet-stream; name=big.bin\r\n"
                            b"Content-Disposition: attachment; filename=big.bin\r\n"
                            b"Content-Transfer-Encoding: base64\r\n\r\n" + wrap(data).encode()],
                           "mixed", n)
    return f"big-{size}", header(n, f"big {size}", b"MIME-Version: 1.0\r\n" + top) + b"\r\n" + whole


KINDS = [simple, simple, raw_8bit, alternative, mixed, related, embedded, report, headers_of_every_kind,
         malformed, malformed, deep]


def messages(count, seed=1):
    """`count` different messages; the same for the same seed."""
    r = random.Random(seed)
    for n in range(count):
        name, message = KINDS[n % len(KINDS)](seed * 100_000 + n, r)
        yield f"{n:05d}-{name}", message


def variations(name, message, count, seed=1):
    """Damaged forms of a real message: cut short, bytes changed, lines dropped or doubled."""
    r = random.Random(f"{seed} {name}")
    for i in range(count):
        changed = bytearray(message)
        kind = i % 4
        if kind == 0 and len(changed) > 10:
            del changed[r.randrange(1, len(changed)):]
        elif kind == 1:
            for _ in range(1 + len(changed) // 500):
                if changed:
                    at = r.randrange(len(changed))
                    if changed[at] not in b"\r\n":
                        changed[at] = r.choice([b for b in range(1, 256) if b not in b"\r\n"])
        else:
            lines = bytes(changed).split(b"\r\n")
            at = r.randrange(len(lines))
            lines[at:at + 1] = [] if kind == 2 else [lines[at]] * 2
            changed = b"\r\n".join(lines)
        changed = bytes(changed).replace(b"\r\n", b"\n").replace(b"\r", b"").replace(b"\n", b"\r\n")
        yield f"{name}-v{i}", b"X-Variation: %d\r\n" % i + changed


def main():
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    for name, message in messages(int(sys.argv[2]) if len(sys.argv) > 2 else 1000):
        (out / f"{name}.eml").write_bytes(message)


if __name__ == "__main__":
    main()
