#!/usr/bin/python3
"""Autodiscover through the server: each form as a client sends it, the answers held against the published
shapes (restated here: element, what may stand in it, in which order), and what strangers learn."""

import base64
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ET

from harness import bourse, tap
from harness.bourse import DOMAIN, PASSWORD
from harness.tap import expect, expect_equal, test

RESPONSE = "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"
OUTLOOK = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
MOBILE = "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006"
SOAP = "http://schemas.microsoft.com/exchange/2010/Autodiscover"
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"

# [MS-OXDSCLI] 2.2.4.1: what may stand in an element; "" is text.
SERVICES = {name: "" for name in (
    "Type", "TTL", "Server", "ServerDN", "ServerVersion", "MdbDN", "PublicFolderServer", "Port", "ASUrl",
    "EwsUrl", "EmwsUrl", "EcpUrl", "OOFUrl", "OABUrl", "UMUrl", "SSL", "AuthPackage", "CertPrincipalName",
    "ServerExclusiveConnect")}
URLS = {"InternalUrl": "", "ExternalUrl": ""}
WEB = {"OWAUrl": "", "Protocol": {"Type": "", "ASUrl": ""}}
OUTLOOK_SHAPE = {
    "User": {"DisplayName": "", "LegacyDN": "", "AutoDiscoverSMTPAddress": "", "DeploymentId": ""},
    "Account": {
        "AccountType": "", "Action": "", "MicrosoftOnline": "", "RedirectAddr": "", "RedirectUrl": "",
        "Protocol": {**SERVICES, "MailStore": URLS, "AddressBook": URLS, "Internal": WEB, "External": WEB},
        "AlternativeMailbox": {"Type": "", "DisplayName": "", "LegacyDN": "", "Server": "",
                               "SmtpAddress": "", "OwnerSmtpAddress": ""},
        "PublicFolderInformation": {"SmtpAddress": ""}}}
ERROR_SHAPE = {"Error": {"ErrorCode": "", "Message": "", "DebugData": ""}}
server = bourse.Server(["alice", "bob"])
server.start()
context = ssl.create_default_context(cafile=server.ca)
context.check_hostname = False


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def fetch(path, body=None, user="alice", service="https", **fields):
    """Status, fields and body; `user` None: without a login."""
    host, port = server.address(service)
    request = urllib.request.Request(f"{service}://{host}:{port}{path}", body.encode() if body else None)
    if user:
        word = base64.b64encode(f"{user}@{DOMAIN}:{PASSWORD}".encode()).decode()
        request.add_header("Authorization", "Basic " + word)
    request.add_header("Content-Type", "text/xml; charset=utf-8")
    for name, value in fields.items():
        request.add_header(name.replace("_", "-"), value)
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), NoRedirect)
    try:
        with opener.open(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def check_shape(element, namespace, shape, ordered=False):
    """Every element is known, in its namespace, with text or elements as the shape says."""
    last = -1
    for child in element:
        expect(child.tag.startswith("{" + namespace + "}"), f"{child.tag}: another namespace")
        name = child.tag.split("}")[1]
        expect(name in shape, f"{name} in {element.tag}")
        if ordered:
            at = list(shape).index(name)
            expect(at >= last, f"{name} stands too late in {element.tag}")
            last = at
        if shape[name] == "":
            expect_equal(len(child), 0, name)
        else:
            check_shape(child, namespace, shape[name], ordered)


def pox(address, schema=OUTLOOK, user="alice", **fields):
    kind = "mobilesync" if schema == MOBILE else "outlook"
    body = (f'<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="http://schemas.microsoft.com/exchange/'
            f'autodiscover/{kind}/requestschema/2006"><Request><EMailAddress>{address}</EMailAddress>'
            f"<AcceptableResponseSchema>{schema}</AcceptableResponseSchema></Request></Autodiscover>")
    status, head, text = fetch("/Autodiscover/Autodiscover.xml", body, user, **fields)
    expect_equal(status, 200, text)
    expect(head["Content-Type"].startswith("text/xml"), head["Content-Type"])
    root = ET.fromstring(text)
    expect_equal(root.tag, "{" + RESPONSE + "}Autodiscover")
    expect_equal(len(root), 1)
    return root[0]


def texts(element, path, namespace=OUTLOOK):
    words = "/".join("{" + namespace + "}" + word for word in path.split("/"))
    return [found.text for found in element.findall(words)]


@test
def outlook():
    response = pox(f"alice@{DOMAIN}", X_MapiHttpCapability="1")
    check_shape(response, OUTLOOK, OUTLOOK_SHAPE)
    protocols = response.findall("{%s}Account/{%s}Protocol" % (OUTLOOK, OUTLOOK))
    kinds = [p.get("Type") or p.find("{%s}Type" % OUTLOOK).text for p in protocols]
    expect_equal(kinds, ["mapiHttp", "EXCH", "EXPR", "EXHTTP", "WEB"])
    expect_equal(protocols[0].get("Version"), "1")
    port = server.address("https")[1]
    for url in texts(protocols[0], "MailStore/InternalUrl") + texts(protocols[1], "EwsUrl"):
        parts = urllib.parse.urlsplit(url)
        expect_equal((parts.scheme, parts.hostname, parts.port), ("https", "mail." + DOMAIN, port))
    without = pox(f"alice@{DOMAIN}")
    expect("mapiHttp" not in ET.tostring(without).decode(), "MAPI over HTTP without being asked for")


@test
def what_is_advertised_answers():
    """The web service and both endpoints of MAPI over HTTP are there, and want a login."""
    response = pox(f"alice@{DOMAIN}", X_MapiHttpCapability="1")
    account = "Account/Protocol/"
    for path in ("MailStore/InternalUrl", "AddressBook/InternalUrl", "EwsUrl"):
        url = urllib.parse.urlsplit(texts(response, account + path)[0])
        status = fetch(url.path + ("?" + url.query if url.query else ""), "x", user=None)[0]
        expect_equal(status, 401, url)


@test
def unknown_addresses():
    answers = set()
    for address in (f"nobody@{DOMAIN}", "somebody@elsewhere.test", "x", f"alice@x.{DOMAIN}"):
        response = pox(address)
        check_shape(response, OUTLOOK, ERROR_SHAPE, True)
        answers.add(texts(response, "Error/ErrorCode")[0] + texts(response, "Error/Message")[0])
    expect_equal(len(answers), 1, answers)
    expect(answers.pop().startswith("500"))


@test
def redirected_addresses():
    server.run("contact", "add", server.dir, f"gone@{DOMAIN}", "--target", "gone@elsewhere.test",
               "--name", "Gone")
    response = pox(f"gone@{DOMAIN}")
    check_shape(response, OUTLOOK, OUTLOOK_SHAPE)
    expect_equal(texts(response, "Account/Action"), ["redirectAddr"])
    expect_equal(texts(response, "Account/RedirectAddr"), ["gone@elsewhere.test"])


@test
def phones_are_not_sent_where_nothing_answers():
    """The shape of the answer with ActiveSync is in protocol/autodiscover/autodiscover_test.c."""
    text = ET.tostring(pox(f"alice@{DOMAIN}", MOBILE)).decode()
    expect("ErrorCode" in text and "MobileSync" not in text, text)


@test
def soap():
    settings = "".join(f"<Setting>{name}</Setting>" for name in (
        "UserDisplayName", "UserDN", "ExternalEwsUrl", "InternalImap4Connections", "ExternalEcpUrl", "Nonsense"))
    users = "".join(f"<User><Mailbox>{name}@{DOMAIN}</Mailbox></User>" for name in ("alice", "nobody"))
    body = (f'<?xml version="1.0"?><s:Envelope xmlns:s="{ENVELOPE}" xmlns="{SOAP}"><s:Header>'
            "<RequestedServerVersion>Exchange2013</RequestedServerVersion></s:Header><s:Body>"
            f"<GetUserSettingsRequestMessage><Request><Users>{users}</Users><RequestedSettings>{settings}"
            "</RequestedSettings></Request></GetUserSettingsRequestMessage></s:Body></s:Envelope>")
    status, _, text = fetch("/autodiscover/autodiscover.svc", body,
                            SOAPAction=f'"{SOAP}/Autodiscover/GetUserSettings"')
    expect_equal(status, 200, text)
    root = ET.fromstring(text)
    message = root.find("{%s}Body/{%s}GetUserSettingsResponseMessage/{%s}Response" % (ENVELOPE, SOAP, SOAP))
    error = {"ErrorCode": "", "ErrorMessage": "", "SettingName": ""}
    connection = {"ProtocolConnection": {"Hostname": "", "Port": "", "EncryptionMethod": ""}}
    check_shape(message, SOAP, {"ErrorCode": "", "ErrorMessage": "", "UserResponses": {"UserResponse": {
        "ErrorCode": "", "ErrorMessage": "", "RedirectTarget": "",
        "UserSettingErrors": {"UserSettingError": error},
        "UserSettings": {"UserSetting": {"Name": "", "Value": "", "ProtocolConnections": connection}}}}}, True)
    users = message.findall("{%s}UserResponses/{%s}UserResponse" % (SOAP, SOAP))
    expect_equal([texts(user, "ErrorCode", SOAP)[0] for user in users], ["NoError", "InvalidUser"])
    expect_equal(texts(users[0], "UserSettings/UserSetting/Name", SOAP),
                 ["UserDisplayName", "UserDN", "ExternalEwsUrl", "InternalImap4Connections"])
    expect_equal(texts(users[0], "UserSettingErrors/UserSettingError/ErrorCode", SOAP),
                 ["SettingIsNotAvailable", "InvalidSetting"])
    status, _, text = fetch("/autodiscover/autodiscover.svc", "<x/>")
    expect_equal(status, 500)
    expect("faultcode" in text, text)


@test
def without_a_login():
    """401 for everybody; what is public says nothing about who exists."""
    for path in ("/autodiscover/autodiscover.xml", "/autodiscover/autodiscover.svc"):
        status, head, text = fetch(path, "x", user=None)
        expect_equal(status, 401, text)
        expect("Basic" in str(head.get_all("WWW-Authenticate")), head)
        expect_equal(fetch(path, None, user=None)[0], 401)
        status, head, _ = fetch(path, None, user=None, service="http")
        expect_equal(status, 302)
        expect(head["Location"].startswith("https://mail." + DOMAIN), head["Location"])
    for name in ("alice", "nobody"):
        for form in ("/v1.0/{}?Protocol=Autodiscoverv1", "?Email={}&Protocol=autodiscoverV1"):
            status, _, text = fetch("/autodiscover/autodiscover.json" + form.format(f"{name}@{DOMAIN}"), user=None)
            expect_equal(status, 200, text)
            answer = json.loads(text)
            expect_equal(answer["Protocol"], "Autodiscoverv1")
            expect(answer["Url"].endswith("/autodiscover/autodiscover.xml"), text)
    for query, code in (("?Email=x@elsewhere.test&Protocol=Ews", "UserNotFound"), ("?Email=x", "MandatoryParameterMissing"),
                        (f"?Email=x@{DOMAIN}&Protocol=%22%3C", "InvalidProtocol")):
        status, _, text = fetch("/autodiscover/autodiscover.json" + query, user=None)
        expect(status in (400, 404), status)
        expect_equal(json.loads(text)["ErrorCode"], code)


@test
def thunderbird():
    for path in ("/mail/config-v1.1.xml", "/.well-known/autoconfig/mail/config-v1.1.xml"):
        status, _, text = fetch(f"{path}?emailaddress=nobody%40{DOMAIN}", user=None, service="http")
        expect_equal(status, 200, text)
        root = ET.fromstring(text)
        expect_equal(root.get("version"), "1.1")
        provider = root.find("emailProvider")
        expect_equal(provider.find("domain").text, DOMAIN)
        ports = {(s.get("type"), s.findtext("socketType")): int(s.findtext("port"))
                 for s in provider if s.tag in ("incomingServer", "outgoingServer") and s.find("port") is not None}
        expect_equal(ports[("imap", "SSL")], server.address("imaps")[1])
        expect_equal(ports[("smtp", "STARTTLS")], server.address("submission")[1])
        expect(provider.find("incomingServer[@type='exchange']/ewsURL").text.endswith("/EWS/Exchange.asmx"))
    expect_equal(fetch("/mail/config-v1.1.xml?emailaddress=x@elsewhere.test", user=None)[0], 404)


@test
def bad_requests():
    for body in ("nonsense", "<Autodiscover/>", "<a>" * 100 + "</a>" * 100,
                 '<!DOCTYPE a [<!ENTITY b "b">]><Autodiscover><Request>&b;</Request></Autodiscover>'):
        status, _, text = fetch("/autodiscover/autodiscover.xml", body)
        expect_equal(status, 200, text)
        response = ET.fromstring(text)[0]
        check_shape(response, RESPONSE, ERROR_SHAPE, True)
        expect_equal(texts(response, "Error/ErrorCode", RESPONSE), ["600"])
    status, _, text = fetch("/autodiscover/autodiscover.xml", "x" * 300_000)
    expect_equal(status, 413, text)
    expect_equal(texts(pox(f"alice@{DOMAIN}", "urn:x"), "Error/ErrorCode", RESPONSE), ["601"])


tap.finish(server.remove)
