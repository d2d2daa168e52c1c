"""How S3 and its like are reached: endpoint, region and credentials, from where the tools of AWS take them.

Problem: DuckDB and obstore look in different places for the same things, and DuckDB would write secrets to a file.

Decision: they are looked up here, for both, in the environment and then in the usual files (`~/.aws/credentials` and
`~/.aws/config`, by profile). DuckDB is given them as a secret in memory, for each session anew; the book never knows
them, and `hidden` takes them out of every text that a server may have sent back.

Limit: what a machine's role or a login in a browser gives is known to archives only, by obstore; for the data of a
book it has to be put into the environment. Credentials that end are read again when the book is opened again.
"""

import os
from collections.abc import Mapping
from configparser import ConfigParser
from configparser import Error as ConfigError
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from tradelake.errors import InputError, StorageError
from tradelake.store.literals import literal
from tradelake.store.target import without_password

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig, S3Config

DEFAULT_REGION = "us-east-1"
RETRIES = 6
TIMEOUT_SECONDS = 60
# What of the environment is read here; True: it is a secret.
VARIABLES = {
    "AWS_PROFILE": False,
    "AWS_CONFIG_FILE": False,
    "AWS_SHARED_CREDENTIALS_FILE": False,
    "AWS_ACCESS_KEY_ID": True,
    "AWS_SECRET_ACCESS_KEY": True,
    "AWS_SESSION_TOKEN": True,
    "AWS_REGION": False,
    "AWS_DEFAULT_REGION": False,
    "AWS_ENDPOINT_URL": False,
    "AWS_ENDPOINT_URL_S3": False,
    "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": False,
    "AWS_SKIP_SIGNATURE": False,
    "AWS_CA_BUNDLE": False,
}
TRUE = ("1", "true", "yes", "on")


@dataclass(frozen=True, slots=True)
class S3Access:
    """How the servers of S3 are reached; without an endpoint, AWS's own. Nothing secret is in its text."""

    region: str
    endpoint: str | None
    virtual_hosts: bool
    unsigned: bool
    key_id: str | None = field(repr=False)
    secret: str | None = field(repr=False)
    token: str | None = field(repr=False)
    authorities: str | None = None

    @property
    def encrypted(self) -> bool:
        """Whether requests go by HTTPS."""
        return not (self.endpoint or "").startswith("http://")


def s3_access(environment: Mapping[str, str] | None = None) -> S3Access:
    """Return how S3 is reached, by the environment and the usual files; InputError where a file cannot be read."""
    env = os.environ if environment is None else environment
    profile = env.get("AWS_PROFILE") or "default"
    secrets = _section(env, "AWS_SHARED_CREDENTIALS_FILE", "credentials", profile)
    settings = _section(env, "AWS_CONFIG_FILE", "config", profile if profile == "default" else f"profile {profile}")
    told = {**settings, **secrets}
    # A key and its secret come from one place.
    if env.get("AWS_ACCESS_KEY_ID"):
        told |= {
            "aws_access_key_id": env["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": env.get("AWS_SECRET_ACCESS_KEY", ""),
            "aws_session_token": env.get("AWS_SESSION_TOKEN", ""),
        }
    style = env.get("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", "")
    return S3Access(
        region=env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or told.get("region") or DEFAULT_REGION,
        endpoint=env.get("AWS_ENDPOINT_URL_S3") or env.get("AWS_ENDPOINT_URL") or told.get("endpoint_url") or None,
        virtual_hosts=style.lower() in TRUE,
        unsigned=env.get("AWS_SKIP_SIGNATURE", "").lower() in TRUE,
        key_id=told.get("aws_access_key_id") or None,
        secret=told.get("aws_secret_access_key") or None,
        token=told.get("aws_session_token") or None,
        authorities=env.get("AWS_CA_BUNDLE") or told.get("ca_bundle") or None,
    )


def _section(env: Mapping[str, str], variable: str, name: str, section: str) -> dict[str, str]:
    """Return what a file of AWS's tools says of a profile; nothing where there is no such file or profile."""
    home = Path(env.get("HOME") or Path.home())
    file = Path(env.get(variable) or home / ".aws" / name).expanduser()
    parser = ConfigParser(interpolation=None)
    try:
        parser.read_string(file.read_text())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (ConfigError, OSError, UnicodeDecodeError):
        # What the parser would say shows lines of the file.
        raise InputError(
            f"{file} cannot be read as the settings of AWS. Mend it, or name another one in {variable}."
        ) from None
    return dict(parser.items(section)) if parser.has_section(section) else {}


def advice_on(text: str) -> str:
    """Return what to do about an error of a server of S3."""
    if "RequestTimeTooSkewed" in text:
        return "The clock of this machine is more than 15 minutes off that of the server: set it."
    return (
        "Look at AWS_ENDPOINT_URL, AWS_REGION and the credentials, and whether these may list, read, write and delete "
        "objects there."
    )


def hidden(text: str) -> str:
    """Return *text* without passwords, and without the credentials of S3 that are in use."""
    text = without_password(text)
    try:
        access = s3_access()
    except InputError:
        return text
    for secret in (access.secret, access.token, access.key_id):
        if secret:
            text = text.replace(secret, "***")
    return text


def access_for(place: str) -> S3Access:
    """Return how the data of a book are reached; InputError where nothing says with which credentials."""
    access = s3_access()
    if not access.unsigned and not (access.key_id and access.secret):
        raise InputError(
            f"There are no credentials for {place}. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and "
            "AWS_SESSION_TOKEN where you have one), or keep them in ~/.aws/credentials and name a profile in "
            "AWS_PROFILE. What a machine's role gives is put there by: eval $(aws configure export-credentials "
            "--format env)"
        )
    return access


def reach_s3(connection: duckdb.DuckDBPyConnection, place: str) -> None:
    """Let a session of DuckDB, which has loaded httpfs, reach what is below an address of S3, as long as it lives."""
    access = access_for(place)
    told = {"REGION": access.region, "URL_STYLE": "vhost" if access.virtual_hosts else "path", "SCOPE": place}
    if access.endpoint:
        told["ENDPOINT"] = access.endpoint.partition("://")[2] or access.endpoint
    if not access.unsigned:
        told |= {"KEY_ID": access.key_id or "", "SECRET": access.secret or "", "SESSION_TOKEN": access.token or ""}
    options = ", ".join(f"{name} {literal(value)}" for name, value in told.items() if value)
    settings = ["enable_server_cert_verification = true", f"http_retries = {RETRIES}", "http_retry_backoff = 2.5"]
    settings.append(f"http_timeout = {TIMEOUT_SECONDS}")
    if access.authorities:
        settings.append(f"ca_cert_file = {literal(access.authorities)}")
    encrypted = str(access.encrypted).lower()
    try:
        for setting in settings:
            connection.execute(f"SET {setting}")
        connection.execute(f"CREATE OR REPLACE TEMPORARY SECRET data (TYPE s3, {options}, USE_SSL {encrypted})")
    except duckdb.Error:
        # Its text could show the statement.
        raise StorageError(
            f"{place} cannot be reached: DuckDB does not take the settings of S3. Look at AWS_ENDPOINT_URL (as "
            "https://host:port), AWS_REGION and the credentials."
        ) from None


def bucket_at(
    url: str, *, options: "ClientConfig", retries: "RetryConfig", checksum: str | None = None
) -> "ObjectStore":
    """Return the objects below an address of S3; what obstore raises is the caller's to translate."""
    from obstore.store import from_url

    access = s3_access()
    config: S3Config = {"region": access.region, "virtual_hosted_style_request": access.virtual_hosts}
    if access.endpoint:
        config["endpoint"] = _with_bucket(access.endpoint, url) if access.virtual_hosts else access.endpoint
    if access.key_id and access.secret:
        config |= {"access_key_id": access.key_id, "secret_access_key": access.secret}
        if access.token:
            config["session_token"] = access.token
    if access.unsigned:
        config["skip_signature"] = True
    if checksum:
        config["checksum_algorithm"] = checksum
    options = {**options, "allow_http": not access.encrypted}
    return from_url(url, config=config, client_options=options, retry_config=retries)


def _with_bucket(endpoint: str, url: str) -> str:
    """Return the endpoint of a bucket that has a host of its own, as obstore asks for it."""
    scheme, _, host = endpoint.partition("://")
    return f"{scheme}://{url.partition('://')[2].partition('/')[0]}.{host}"
