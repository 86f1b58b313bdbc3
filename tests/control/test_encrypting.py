"""`sslmode` means what libpq says: whether a connection is encrypted, and whose certificate is believed."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ArgumentError, InterfaceError

from pilothouse.control.encrypting import encrypted
from pilothouse.control.opening import open_database
from tests.authority import authority
from tests.control.postgres import new_database, postgresql

URL = "postgresql+pg8000://u:a%40b@host/shop"


@pytest.mark.parametrize(
    ("mode", "believes", "named"),
    [
        ("require", ssl.CERT_NONE, False),
        ("verify-ca", ssl.CERT_REQUIRED, False),
        ("verify-full", ssl.CERT_REQUIRED, True),
    ],
)
def test_who_is_believed(mode: str, believes: ssl.VerifyMode, named: bool) -> None:
    url, more = encrypted(f"{URL}?sslmode={mode}&application_name=x")
    assert not isinstance(url, str)
    assert (url.password, dict(url.query)) == ("a@b", {"application_name": "x"})
    context = more["ssl_context"]
    assert (context.verify_mode, context.check_hostname) == (believes, named)


def test_what_is_not_said_is_left_to_the_driver() -> None:
    assert encrypted(URL) == (URL, {})
    assert encrypted("sqlite:///a?sslmode=x") == ("sqlite:///a?sslmode=x", {})
    assert encrypted(f"{URL}?sslmode=prefer")[1] == {}


def test_a_mode_or_a_file_that_there_is_not_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="sslmode=full is none of disable"):
        encrypted(f"{URL}?sslmode=full")
    with pytest.raises(OSError, match="No such file"):
        encrypted(f"{URL}?sslmode=verify-ca&sslrootcert={tmp_path}/none.pem")


def test_a_server_without_tls_is_refused_where_it_is_required(postgres: str, tmp_path: Path) -> None:
    url = new_database(postgres, str(tmp_path))
    open_database(f"{url}?sslmode=disable").dispose()
    with pytest.raises(InterfaceError, match="refuses SSL"):
        open_database(f"{url}?sslmode=require")


def test_a_server_with_a_certificate_is_believed_as_far_as_was_asked(tmp_path: Path) -> None:
    """Debian's own PostgreSQL, that takes encrypted connections alone, with a certificate for 127.0.0.1."""
    issuing, stranger = authority(tmp_path / "pki"), authority(tmp_path / "strange")
    root, other = issuing.directory / "ca.pem", stranger.directory / "ca.pem"
    with postgresql(issuing.issue("server")) as server:
        url = f"{server}/postgres"
        by_authority, by_name = f"sslmode=verify-ca&sslrootcert={root}", f"sslmode=verify-full&sslrootcert={root}"
        for mode in ("sslmode=require", by_authority, by_name):
            database = open_database(f"{url}?{mode}")
            with database.connect() as connection:
                asked = text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
                assert connection.execute(asked).scalar() is True, mode
            database.dispose()
        with pytest.raises(InterfaceError, match="no encryption"):
            open_database(f"{url}?sslmode=disable")
        with pytest.raises((OSError, InterfaceError), match="certificate verify failed"):
            open_database(f"{url}?sslmode=verify-ca&sslrootcert={other}")
        # The same machine by a name that the certificate does not have.
        elsewhere = url.replace("127.0.0.1", "127.1")
        open_database(f"{elsewhere}?{by_authority}").dispose()
        with pytest.raises((OSError, InterfaceError), match="certificate verify failed"):
            open_database(f"{elsewhere}?{by_name}")
