"""People with mail addresses, and the letters that wait for them."""

from urllib.parse import urlsplit

import httpx2
import msgspec

from auth_gateway.core.letter import LETTER_PURPOSE, Posted
from tests.stories.gateway.story import Story


def with_address(story: Story, user_id: str, address: str, *, is_verified: bool = True, language: str = "") -> None:
    """Gives that person a mail address."""
    with story.gateway.database.engine.begin() as connection:
        connection.exec_driver_sql(
            f"UPDATE users SET email = '{address}', email_verified = {is_verified}, language = '{language}'"  # noqa: S608
            f" WHERE user_id = '{user_id}'"
        )


def letters(story: Story, kind: str = "") -> list[Posted]:
    """What waits or has gone out, the oldest first."""
    with story.gateway.database.engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT body FROM outbox WHERE endpoint = 'mail' ORDER BY created_at, message_id"
        ).fetchall()
    opened = [
        msgspec.json.decode(story.gateway.vault.open(bytes(body), LETTER_PURPOSE), type=Posted) for (body,) in rows
    ]
    return [posted for posted in opened if not kind or posted.letter.kind == kind]


def link_of(story: Story, kind: str) -> str:
    """Where the link in the newest letter of that kind leads on this gateway."""
    return urlsplit(letters(story, kind)[-1].letter.values["link"]).path


def followed(story: Story, path: str, **fields: str) -> httpx2.Response:
    """The link's form, posted with these fields."""
    return story.ask("POST", path, data=fields)
