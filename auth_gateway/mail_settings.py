"""What an operator may say about mail and what goes by mail; part of the settings."""

from email.headerregistry import Address
from email.utils import parseaddr
from typing import Self

from pydantic import SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

from auth_gateway.adapters.mail_server import MailServer, mail_server
from auth_gateway.core.mail_address import prepare_address


class MailSettings(BaseSettings):
    """The mail server, the address that mails come from, and whether strangers may make accounts by mail."""

    smtp_url: SecretStr | None = None
    mail_from: str | None = None
    sign_up: bool = False

    @property
    def mail_server(self) -> MailServer | None:
        """The server that takes letters, None where they go to the log."""
        return None if self.smtp_url is None else mail_server(self.smtp_url.get_secret_value())

    @field_validator("smtp_url")
    @classmethod
    def _is_mail_server(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            mail_server(value.get_secret_value())
        return value

    @field_validator("mail_from")
    @classmethod
    def _is_sender(cls, value: str | None) -> str | None:
        if value is None:
            return None
        name, given = parseaddr(value)
        address = prepare_address(given)
        if address is None or not value.isprintable():
            raise ValueError("must be a mail address such as login@example.com or Example <login@example.com>")
        return str(Address(display_name=name, addr_spec=address))

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.smtp_url is not None and self.mail_from is None:
            raise ValueError("MAIL_FROM is missing: SMTP_URL needs the address that mails come from")
        return self
