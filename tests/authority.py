"""An authority of the tests' own, whose certificates are for loopback and one day."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Authority:
    """Makes certificates into a directory."""

    directory: Path
    key: ec.EllipticCurvePrivateKey
    name: x509.Name

    def issue(self, name: str, own: bool = False) -> tuple[Path, Path]:
        key = self.key if own else ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.now(datetime.UTC)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        alternative = x509.SubjectAlternativeName(
            [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        )
        made = (
            x509.CertificateBuilder()
            .subject_name(self.name if own else subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=own, path_length=None), critical=True)
            .add_extension(alternative, critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .add_extension(x509.KeyUsage(True, False, False, False, False, own, own, False, False), critical=True)
            .sign(self.key, hashes.SHA256())
        )
        cert, secret = self.directory / f"{name}.pem", self.directory / f"{name}.key"
        cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        secret.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return cert, secret


def authority(directory: Path) -> Authority:
    directory.mkdir()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
    made = Authority(directory, ec.generate_private_key(ec.SECP256R1()), name)
    made.issue("ca", own=True)
    return made
