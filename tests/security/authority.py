"""Authorities that sign certificates for tests, and tokens as identity providers sign them."""

import datetime
import ipaddress
import json
import time

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from moviellm.security.pem import PairFiles

DAY = datetime.timedelta(days=1)


def pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


class Authority:
    """Signs certificates into a folder; `file` is its own."""

    def __init__(self, folder, name):
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        own = self._builder(self._name, self._key.public_key())
        certificate = own.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.file = str(folder / f"{name}.pem")
        (folder / f"{name}.pem").write_bytes(_pem_of(certificate.sign(self._key, hashes.SHA256())))

    def _builder(self, subject, public_key):
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - DAY)
            .not_valid_after(now + DAY)
        )

    def issue(self, name, *, host="127.0.0.1"):
        """(Over)write name.crt and name.key, signed by this authority, for a host."""
        key = ec.generate_private_key(ec.SECP256R1())
        try:
            names = [x509.IPAddress(ipaddress.ip_address(host))]
        except ValueError:
            names = [x509.DNSName(host)]
        certificate = self._builder(_named(name), key.public_key()).add_extension(
            x509.SubjectAlternativeName(names), critical=False
        )
        (self.folder / f"{name}.key").write_bytes(pem(key))
        (self.folder / f"{name}.crt").write_bytes(_pem_of(certificate.sign(self._key, hashes.SHA256())))
        return PairFiles(str(self.folder / f"{name}.crt"), str(self.folder / f"{name}.key"))


def _named(name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _pem_of(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


class IdentityProvider:
    """Signs tokens; `keys` is its public key set."""

    issuer = "https://id.example"
    audience = "moviellm"

    def __init__(self, kid="one"):
        self.kid = kid
        self.key = rsa.generate_private_key(65537, 2048)
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        self.jwk = public | {"kid": kid, "use": "sig", "alg": "RS256"}

    @property
    def keys(self):
        return {"keys": [self.jwk]}

    @property
    def public_pem(self):
        return self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def claims(self, **changed):
        told = {
            "iss": self.issuer,
            "aud": self.audience,
            "exp": time.time() + 600,
            "sub": "someone",
            "tenant": "films",
            "roles": ["writer"],
        }
        return {name: value for name, value in (told | changed).items() if value is not None}

    def token(self, *, algorithm="RS256", key=None, kid=None, **changed):
        headers = {"kid": self.kid if kid is None else kid}
        return jwt.encode(self.claims(**changed), key or self.key, algorithm=algorithm, headers=headers)
