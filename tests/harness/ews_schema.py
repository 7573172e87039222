"""Checks answers of EWS against the schema that the server itself serves.

    schema = Schema(server, "alice")     fetches messages.xsd and types.xsd
    schema.check(text)                   fails when an envelope's body is not valid
    schema.watch_exchangelib()           every answer that exchangelib gets from now on is checked

`schema.checked` counts what was checked. What the published schema says can be checked too, where a
folder with it is named in BOURSE_EWS_XSD."""

import base64
import http.client
import os
import pathlib
import tempfile

from lxml import etree

from harness import tap
from harness.bourse import DOMAIN, PASSWORD

MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages"
TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
XML_NAMESPACE = 'namespace="http://www.w3.org/XML/1998/namespace"'
# Nobody gives a place for the xml: attributes, which every reader but libxml2 knows.
XML_XSD = ('<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace='
           '"http://www.w3.org/XML/1998/namespace"><xs:attribute name="lang" type="xs:language"/>'
           "</xs:schema>")


def fetch(server, path, user="alice"):
    """A document by GET: its status, fields and bytes."""
    connection = http.client.HTTPConnection(*server.address("http"), timeout=60)
    login = base64.b64encode(f"{user}@{DOMAIN}:{PASSWORD}".encode()).decode()
    connection.request("GET", path, headers={"Authorization": f"Basic {login}"})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, answer.headers, body


class Schema:
    def __init__(self, server, user="alice"):
        documents = {}
        for name in ("messages.xsd", "types.xsd"):
            status, _, body = fetch(server, f"/EWS/{name}", user)
            tap.expect_equal(status, 200, name)
            documents[name] = body.decode()
        self.schemas = [load(documents)]
        if folder := os.environ.get("BOURSE_EWS_XSD"):
            self.schemas.append(etree.XMLSchema(etree.parse(str(pathlib.Path(folder) / "messages.xsd"))))
        self.checked = 0

    def check(self, text):
        root = etree.fromstring(text if isinstance(text, bytes) else text.encode())
        body = root.find(f"{{{SOAP}}}Body")
        tap.expect(body is not None and len(body) == 1, "the envelope has one body element")
        if body[0].tag == f"{{{SOAP}}}Fault":
            return
        # On its own, with the namespaces that stand around it.
        element = etree.fromstring(etree.tostring(body[0]))
        for schema in self.schemas:
            if not schema.validate(element):
                tap.fail(f"not valid: {schema.error_log.last_error}\n{etree.tostring(element).decode()}")
        self.checked += 1

    def watch_exchangelib(self):
        from exchangelib.protocol import BaseProtocol, NoVerifyHTTPAdapter

        schema = self

        class Adapter(NoVerifyHTTPAdapter):
            def send(self, request, *args, **kwargs):
                answer = super().send(request, *args, **kwargs)
                is_xml = answer.headers.get("Content-Type", "").startswith("text/xml")
                if request.method == "POST" and answer.status_code == 200 and is_xml:
                    schema.check(answer.content)
                return answer

        BaseProtocol.HTTP_ADAPTER_CLS = Adapter


def load(documents):
    with tempfile.TemporaryDirectory(prefix="bourse-xsd-") as folder:
        folder = pathlib.Path(folder)
        for name, text in documents.items():
            text = text.replace(XML_NAMESPACE + "/>", XML_NAMESPACE + ' schemaLocation="xml.xsd"/>')
            (folder / name).write_text(text)
        (folder / "xml.xsd").write_text(XML_XSD)
        return etree.XMLSchema(etree.parse(str(folder / "messages.xsd")))
