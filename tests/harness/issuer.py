"""An issuer of bearer tokens for tests: a key pair and JSON Web Tokens, by the openssl command."""

import base64
import json
import pathlib
import subprocess
import time

ISSUER = "https://login.example.test"
AUDIENCE = "bourse"


def _url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    def __init__(self, folder):
        self.key = pathlib.Path(folder) / "issuer.key"
        self.public = pathlib.Path(folder) / "issuer.pem"
        subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048",
                        "-out", str(self.key)], check=True, capture_output=True)
        subprocess.run(["openssl", "pkey", "-in", str(self.key), "-pubout", "-out", str(self.public)],
                       check=True, capture_output=True)

    def settings(self):
        """For [auth] in bourse.conf."""
        return {"oauth_issuer": ISSUER, "oauth_audience": AUDIENCE, "oauth_keys": str(self.public)}

    def token(self, user, seconds=300, **claims):
        claims = {"iss": ISSUER, "aud": AUDIENCE, "exp": int(time.time()) + seconds, "email": user,
                  **claims}
        text = _url(b'{"alg":"RS256","typ":"JWT"}') + "." + _url(json.dumps(claims).encode())
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", str(self.key)],
                                   input=text.encode(), check=True, capture_output=True).stdout
        return f"{text}.{_url(signature)}"
