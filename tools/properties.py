#!/usr/bin/python3
"""Makes src/mapi/props.h and props.c, the property catalogue, from src/mapi/properties.csv.

    tools/properties.py           writes the two files anew
    tools/properties.py --check   only says (status 1) whether they differ from what it would write
"""

import csv
import os
import sys

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "src", "mapi")

TYPES = {
    "PtypInteger16": 0x0002,
    "PtypInteger32": 0x0003,
    "PtypFloating64": 0x0005,
    "PtypCurrency": 0x0006,
    "PtypBoolean": 0x000B,
    "PtypObject": 0x000D,
    "PtypInteger64": 0x0014,
    "PtypString": 0x001F,
    "PtypTime": 0x0040,
    "PtypGuid": 0x0048,
    "PtypServerId": 0x00FB,
    "PtypRestriction": 0x00FD,
    "PtypRuleAction": 0x00FE,
    "PtypBinary": 0x0102,
    "PtypMultipleInteger32": 0x1003,
    "PtypMultipleString": 0x101F,
    "PtypMultipleTime": 0x1040,
    "PtypMultipleBinary": 0x1102,
}

# [MS-OXPROPS] 1.3.2, and the sets that only clients' documentation names.
SETS = {
    "PS_PUBLIC_STRINGS": "00020329-0000-0000-C000-000000000046",
    "PS_INTERNET_HEADERS": "00020386-0000-0000-C000-000000000046",
    "PS_MAPI": "00020328-0000-0000-C000-000000000046",
    "PSETID_Common": "00062008-0000-0000-C000-000000000046",
    "PSETID_Address": "00062004-0000-0000-C000-000000000046",
    "PSETID_Appointment": "00062002-0000-0000-C000-000000000046",
    "PSETID_Meeting": "6ED8DA90-450B-101B-98DA-00AA003F1305",
    "PSETID_Log": "0006200A-0000-0000-C000-000000000046",
    "PSETID_Messaging": "41F28F13-83F4-4114-A584-EEDB5A6B0BFF",
    "PSETID_Note": "0006200E-0000-0000-C000-000000000046",
    "PSETID_PostRss": "00062041-0000-0000-C000-000000000046",
    "PSETID_Task": "00062003-0000-0000-C000-000000000046",
    "PSETID_UnifiedMessaging": "4442858E-A9E3-4E80-B900-317A210CC15B",
    "PSETID_AirSync": "71035549-0739-4DCB-9163-00F0580DBBDF",
    "PSETID_Sharing": "00062040-0000-0000-C000-000000000046",
    "PSETID_XmlExtractedEntities": "23239608-685D-4732-9C55-4C95CB4E8E33",
    "PSETID_Attachment": "96357F7F-59E1-47D0-99A7-46515C183B54",
    "PSETID_CalendarAssistant": "11000E07-B51B-40D6-AF21-CAA85EDAB1D0",
    "PSETID_Report": "00062013-0000-0000-C000-000000000046",
    "PSETID_Remote": "00062014-0000-0000-C000-000000000046",
}

FIRST_FIXED, LAST_FIXED = 0x8001, 0x8FFF
KINDS = {"tag": "CATALOGUE_TAG", "ab": "CATALOGUE_ADDRESS_BOOK", "lid": "CATALOGUE_LID", "name": "CATALOGUE_STRING"}


class Row:
    """A row of the CSV, checked."""

    def __init__(self, row):
        self.name, self.kind, self.set = row["name"], row["kind"], row["set"]
        self.number, self.string = 0, ""
        if self.kind == "name":
            self.string = row["id"].lower() if self.set == "PS_INTERNET_HEADERS" else row["id"]
        else:
            self.number = int(row["id"], 16)
        self.alias = row["note"].startswith("the same property as ")
        if self.kind in ("lid", "name"):
            fixed = int(row["fixed"], 16)
            check(FIRST_FIXED <= fixed <= LAST_FIXED, self.name, "fixed id out of range")
            check(self.set in SETS, self.name, "unknown property set")
        else:
            fixed = self.number
            check((fixed >= 0x8000) == (self.kind == "ab"), self.name, "kind does not fit the id")
            check(not self.set and not row["fixed"], self.name, "a tag has no set and no fixed id")
        self.tag = fixed << 16 | TYPES[row["type"]]
        self.note = row["note"]

    def is_named(self):
        return self.kind in ("lid", "name")


def check(condition, name, problem):
    if not condition:
        sys.exit(f"properties.csv: {name}: {problem}")


def read_rows():
    with open(os.path.join(HERE, "properties.csv"), newline="", encoding="utf-8") as f:
        rows = [Row(r) for r in csv.DictReader(line for line in f if not line.startswith("#"))]
    names, fixed, keys = set(), set(), set()
    for r in rows:
        check(r.kind in KINDS, r.name, "unknown kind")
        check(r.name not in names, r.name, "name twice")
        names.add(r.name)
        if r.is_named() and not r.alias:
            check(r.tag >> 16 not in fixed, r.name, "fixed id twice")
            fixed.add(r.tag >> 16)
            key = (r.set, r.number, r.string)
            check(key not in keys, r.name, "property set and id twice")
            keys.add(key)
    return rows


def set_constant(guid):
    a, b, c, d, e = guid.split("-")
    rest = [f"0x{(d + e)[i:i + 2]}" for i in range(0, 16, 2)]
    return f"GUID_INIT(0x{a}, 0x{b}, 0x{c}, {', '.join(rest)})"


def wire_guid(guid):
    a, b, c, d, e = guid.split("-")
    swap = lambda h: bytes.fromhex(h)[::-1]
    return swap(a) + swap(b) + swap(c) + bytes.fromhex(d + e)


HEAD = "// Made by tools/properties.py from properties.csv; change that instead.\n// clang-format off\n"


def make_header(rows):
    out = [HEAD, "// Property tags by their names in the specifications ([MS-OXPROPS]), named properties with the\n"
           "// ids that they have in every mailbox.\n#pragma once\n\n#include \"base/guid.h\"\n\n"]
    for name in SETS:
        out.append(f"extern const struct guid {name};\n")
    out.append("\n")
    for r in rows:
        note = f" // {r.note}" if r.note else ""
        out.append(f"#define {r.name} 0x{r.tag:08X}u{note}\n")
    return "".join(out)


def make_index(name, rows, keep, key):
    order = sorted((i for i, r in enumerate(rows) if keep(r)), key=lambda i: (key(rows[i]), i))
    lines = []
    for i in range(0, len(order), 16):
        lines.append("    " + ", ".join(str(n) for n in order[i:i + 16]) + ",\n")
    return (f"const uint16_t catalogue_index_{name}[] = {{\n{''.join(lines)}}};\n"
            f"const unsigned catalogue_n_{name} = {len(order)};\n\n")


def make_source(rows):
    out = [HEAD, "// The property catalogue's table and its indexes, which catalogue.c searches.\n"
           "#include \"mapi/props.h\"\n\n#include <stddef.h>\n\n#include \"mapi/catalogue_internal.h\"\n\n"]
    for name, guid in SETS.items():
        out.append(f"const struct guid {name} = {set_constant(guid)};\n")
    out.append("\nconst struct catalogue_property catalogue_table[] = {\n")
    for r in rows:
        string = '"%s"' % r.string if r.string else "NULL"
        where = f"&{r.set}" if r.set else "NULL"
        number = r.number if r.kind == "lid" else 0
        out.append(f'    {{"{r.name}", 0x{r.tag:08X}u, {KINDS[r.kind]}, {where}, 0x{number:X}, {string}}},\n')
    out.append(f"}};\nconst unsigned catalogue_n_table = {len(rows)};\n\n")
    text = lambda s: s.encode()
    out.append(make_index("name", rows, lambda r: True, lambda r: text(r.name)))
    out.append(make_index("tag", rows, lambda r: r.kind != "ab" and not r.alias, lambda r: r.tag))
    out.append(make_index("address_book", rows, lambda r: r.kind == "ab", lambda r: r.tag))
    out.append(make_index("lid", rows, lambda r: r.kind == "lid", lambda r: (wire_guid(SETS[r.set]), r.number)))
    out.append(make_index("string", rows, lambda r: r.kind == "name" and not r.alias,
                          lambda r: (wire_guid(SETS[r.set]), text(r.string))))
    return "".join(out).rstrip("\n") + "\n"


def main():
    rows = read_rows()
    status = 0
    for name, text in (("props.h", make_header(rows)), ("props.c", make_source(rows))):
        path = os.path.join(HERE, name)
        if "--check" in sys.argv[1:]:
            with open(path, encoding="utf-8") as f:
                if f.read() != text:
                    print(f"{name} is not up to date: run tools/properties.py")
                    status = 1
        else:
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
    return status


if __name__ == "__main__":
    sys.exit(main())
