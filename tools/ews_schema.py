#!/usr/bin/python3
"""Makes schema_table.c, the schema of EWS as tables, from src/protocol/ews/schema.txt, in the build:

    tools/ews_schema.py schema.txt schema_table.c

schema.txt states the messages and types a line each, indented by what contains them:

    namespace t|m                    the types or the messages follow; names without "t:", "m:" or
                                     "x:" (XML Schema) are of this namespace
    complex NAME [: BASE | / BASE | text BASE] [abstract] [since=V]
                                     a type: extends, restricts, or is text with attributes
    simple [NAME] = BASE | list [BASE] | union [BASE]
    element NAME TYPE|{} [in=HEAD] [abstract]       a global element
    group NAME, attributes NAME      parts that types share
    NAME TYPE|{}|= [CARD] [nil] [default=X] [since=V]
                                     an element; {} and = have their type below
    ^NAME [CARD]  %NAME [CARD]  @%NAME              uses of an element, a group, attributes
    @NAME TYPE|= [!] [default=X]     an attribute; ! it must be there
    <choice> <sequence> <all> [CARD] particles; without one, elements stand in a sequence
    *any HOW NAMESPACE [CARD]  @any NAMESPACE       anything
    | VALUE    ~ FACET VALUE         of a simple type
    operations                       then: NAME headers=LETTERS [request=X] [response=X] [action=X]

CARD: ? 0 or 1, * any, + 1 or more, LOW..HIGH; nothing is exactly 1.
V: the first schema version that has it (2007 without)."""

import sys

VERSIONS = {"2007": "EWS_2007", "2007_SP1": "EWS_2007_SP1", "2010": "EWS_2010", "2010_SP1": "EWS_2010_SP1",
            "2010_SP2": "EWS_2010_SP2", "2013": "EWS_2013", "2013_SP1": "EWS_2013_SP1",
            "2015": "EWS_2016", "2016": "EWS_2016"}
CARDS = {"?": (0, 1), "*": (0, -1), "+": (1, -1)}
PARTICLES = ("XS_ELEMENT", "XS_REF", "XS_GROUP_REF", "XS_ANY", "XS_SEQUENCE", "XS_CHOICE", "XS_ALL")
HEADERS = {"I": 1, "C": 2, "V": 4, "Z": 8, "P": 16, "R": 32, "S": 64}

HEAD = """// Made by tools/ews_schema.py from schema.txt; change that instead.
// The messages and types of EWS in document order, each node with its depth, and the operations.
#include "protocol/ews/schema_internal.h"

#include <stddef.h>

"""


class Node:
    def __init__(self, kind, name=None, type_=None, extra=None):
        self.kind, self.name, self.type, self.extra = kind, name, type_, extra
        self.low, self.high, self.flags, self.since = 1, 1, set(), "2007"
        self.children = []
        self.inline = None  # of an element whose type stands below: "{}" or "="


def fail(number, problem):
    sys.exit(f"schema.txt:{number}: {problem}")


def qualify(name, space):
    return name if name is None or ":" in name else f"{space}:{name}"


def options(node, words, number, space):
    """What stands after a node's name and type."""
    for word in words:
        key, _, value = word.partition("=")
        if word in CARDS:
            node.low, node.high = CARDS[word]
        elif ".." in word:
            low, high = word.split("..")
            node.low, node.high = int(low), -1 if high == "*" else int(high)
        elif word == "!":
            node.flags.add("XS_REQUIRED")
        elif word == "nil":
            node.flags.add("XS_NILLABLE")
        elif word == "abstract":
            node.flags.add("XS_ABSTRACT")
        elif key == "since" and value in VERSIONS:
            node.since = value
        elif key == "default":
            node.extra = value
        elif key == "in":
            node.extra = qualify(value, space)
        else:
            fail(number, f"what is {word}?")


def complex_base(node, words, space):
    """Takes ": BASE" and the like off; the rest of the words."""
    signs = {":": [], "/": ["XS_RESTRICTS"], "text": ["XS_TEXT"], "textres": ["XS_TEXT", "XS_RESTRICTS"]}
    if len(words) >= 2 and words[0] in signs:
        node.type = qualify(words[1], space)
        node.flags.update(signs[words[0]])
        return words[2:]
    return words


def simple_base(node, words, space):
    if words[0] == "list":
        node.flags.add("XS_LIST")
    elif words[0] == "union":
        node.flags.add("XS_UNION")
    node.type = qualify(words[1], space) if len(words) > 1 else None


def parse_line(text, number, space):
    words = text.split()
    first, rest = words[0], words[1:]
    if first == "complex":
        node = Node("XS_COMPLEX", rest[0])
        options(node, complex_base(node, rest[1:], space), number, space)
    elif first == "simple":
        named = rest[0] not in ("=", "list", "union")
        node = Node("XS_SIMPLE", rest[0] if named else None)
        simple_base(node, rest[1:] if named else rest, space)
    elif first == "element":
        node = Node("XS_ELEMENT", rest[0], None if rest[1] == "{}" else qualify(rest[1], space))
        options(node, rest[2:], number, space)
    elif first in ("group", "attributes"):
        node = Node("XS_GROUP" if first == "group" else "XS_ATTRIBUTES", rest[0])
    elif first in ("<choice>", "<sequence>", "<all>"):
        node = Node("XS_" + first[1:-1].upper())
        options(node, rest, number, space)
    elif first == "*any":
        node = Node("XS_ANY", rest[0], rest[1])
        options(node, rest[2:], number, space)
    elif first == "@any":
        node = Node("XS_ANY_ATTRIBUTE", None, rest[0])
    elif first == "|":
        node = Node("XS_VALUE", text[2:])
    elif first == "~":
        node = Node("XS_FACET", rest[0], None, text.split(None, 2)[2])
    elif first.startswith("@%"):
        node = Node("XS_ATTRIBUTES_REF", None, qualify(first[2:], space))
    elif first.startswith("@"):
        node = Node("XS_ATTRIBUTE", first[1:], None if rest[0] == "=" else qualify(rest[0], space))
        options(node, rest[1:], number, space)
    elif first[0] in "^%":
        node = Node("XS_REF" if first[0] == "^" else "XS_GROUP_REF", None, qualify(first[1:], space))
        options(node, rest, number, space)
    elif first in (":", "/", "text", "textres"):
        node = Node("base", None, qualify(rest[0], space), first)
    else:
        if not rest:
            fail(number, "an element needs a type")
        node = Node("XS_ELEMENT", first, None if rest[0] in ("{}", "=") else qualify(rest[0], space))
        node.inline = rest[0]
        options(node, rest[1:], number, space)
    return node


class Operation:
    def __init__(self, text, number):
        words = text.split()
        self.name = self.request = self.action = words[0]
        self.response, self.headers, self.since = words[0] + "Response", 0, "2007"
        for word in words[1:]:
            key, _, value = word.partition("=")
            if key == "headers":
                self.headers = sum(HEADERS[c] for c in value)
            elif key in ("request", "response", "action"):
                setattr(self, key, value)
            elif key == "since" and value in VERSIONS:
                self.since = value
            else:
                fail(number, f"what is {word}?")


def read(path):
    roots, operations, stack = [], [], []
    space = None
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            text = line.strip()
            if not text or text.startswith("#"):
                continue
            depth = (len(line) - len(line.lstrip(" "))) // 2
            if text.startswith("namespace "):
                space = text.split()[1]
                roots.append(Node("XS_NAMESPACE", space))
                stack = []
                continue
            if text == "operations":
                space = "operations"
                continue
            if space == "operations":
                operations.append(Operation(text, number))
                continue
            node = parse_line(text, number, space)
            if depth > len(stack):
                fail(number, "indented too far")
            del stack[depth:]
            (stack[-1] if stack else roots[-1]).children.append(node)
            stack.append(node)
    for root in roots:
        for i, node in enumerate(root.children):
            root.children[i] = finish(node)
    return roots, operations


def finish(node):
    """Puts in the nodes that the short form leaves out: unnamed types, and sequences."""
    if node.kind == "XS_ELEMENT" and node.type is None and node.children and \
            node.children[0].kind != "XS_SIMPLE":
        inner = Node("XS_COMPLEX")
        inner.children, node.children = node.children, [inner]
    elif node.kind == "XS_ELEMENT" and node.type is None and not node.children:
        inner = Node("XS_COMPLEX")
        node.children = [inner]
    if node.kind == "XS_COMPLEX":
        if node.children and node.children[0].kind == "base":
            base = node.children.pop(0)
            complex_base(node, [base.extra, base.type], "")
        particles = [c for c in node.children if c.kind in PARTICLES]
        others = [c for c in node.children if c.kind not in PARTICLES]
        if particles and not (len(particles) == 1 and particles[0].kind not in ("XS_ELEMENT", "XS_REF", "XS_ANY")):
            sequence = Node("XS_SEQUENCE")
            sequence.children = particles
            particles = [sequence]
        node.children = particles + others
    node.children = [finish(c) for c in node.children]
    return node


def quote(text):
    return "NULL" if text is None else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def emit(node, depth, out):
    flags = " | ".join(sorted(node.flags)) or "0"
    out.append(f"    {{{node.kind}, {depth}, {VERSIONS[node.since]}, {flags}, {node.low}, {node.high}, "
               f"{quote(node.name)}, {quote(node.type)}, {quote(node.extra)}}},\n")
    for child in node.children:
        emit(child, depth + 1, out)


def named_index(roots):
    """Named types and global elements, to search by name: 't:ItemType' or 'm:<GetItem'."""
    index, at = {}, 0

    def walk(node, depth, space):
        nonlocal at
        here, at = at, at + 1
        if depth == 1:
            mark = {"XS_ELEMENT": "<", "XS_GROUP": "%", "XS_ATTRIBUTES": "@"}.get(node.kind, "")
            key = f"{space}:{mark}{node.name}"
            if key in index:
                sys.exit(f"schema.txt: {key} twice")
            index[key] = here
        for child in node.children:
            walk(child, depth + 1, space)

    for root in roots:
        walk(root, 0, root.name)
    return index


def make(path):
    roots, operations = read(path)
    index = named_index(roots)
    out = [HEAD, "const struct ews_schema_node ews_schema_nodes[] = {\n"]
    rows = []
    for root in roots:
        emit(root, 0, rows)
    out += rows
    out.append(f"}};\nconst unsigned ews_schema_n_nodes = {len(rows)};\n\n")
    out.append("// By name: types, \"<\" elements, \"%\" groups, \"@\" sets of attributes.\n"
               "const struct ews_schema_name ews_schema_names[] = {\n")
    for key in sorted(index, key=lambda k: k.encode()):
        out.append(f"    {{{quote(key)}, {index[key]}}},\n")
    out.append(f"}};\nconst unsigned ews_schema_n_names = {len(index)};\n\n")
    out.append("const struct ews_schema_operation ews_schema_operations[] = {\n")
    for o in sorted(operations, key=lambda o: o.name.encode()):
        out.append(f"    {{{quote(o.name)}, {quote(o.request)}, {quote(o.response)}, {quote(o.action)}, "
                   f"{o.headers}, {VERSIONS[o.since]}}},\n")
    out.append(f"}};\nconst unsigned ews_schema_n_operations = {len(operations)};\n")
    return "".join(out)


def main():
    text = make(sys.argv[1])
    with open(sys.argv[2], "w", encoding="utf-8") as f:
        f.write(text)


if __name__ == "__main__":
    main()
