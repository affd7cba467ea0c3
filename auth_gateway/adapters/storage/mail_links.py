"""Links in mails, by the SHA-256 of their secret."""

from sqlalchemy import bindparam, func, insert, select, update

from auth_gateway.adapters.storage.provider.sweeping import expired
from auth_gateway.adapters.storage.tables import table_of
from auth_gateway.adapters.storage.tables_factors import MailLinkRow
from auth_gateway.core.letter import LinkPurpose, MailLink
from plumbing.statements import Statement, Transaction

_links = table_of(MailLinkRow)
_unused = _links.c.used_at.is_(None)

ADD = Statement(insert(_links))
FIND = Statement(select(_links).where(_links.c.token_digest == bindparam("digest")))
USE = Statement(
    update(_links)
    .where(
        _links.c.token_digest == bindparam("digest"),
        _links.c.purpose == bindparam("wanted"),
        _links.c.expires_at > bindparam("now"),
        _unused,
    )
    .values(used_at=bindparam("now"))
)
WITHDRAW = Statement(
    update(_links)
    .where(_links.c.user_id == bindparam("user"), _links.c.purpose == bindparam("wanted"), _unused)
    .values(used_at=bindparam("now"))
)
SENT_SINCE = Statement(
    select(func.count())
    .select_from(_links)
    .where(
        _links.c.user_id == bindparam("user"),
        _links.c.purpose == bindparam("wanted"),
        _links.c.created_at > bindparam("since"),
    )
)
FORGET_EXPIRED = expired(_links)


class StoredMailLinks:
    """Links in mails in the database."""

    def add(self, tx: Transaction, link: MailLink) -> None:
        tx.run(ADD, **{name: getattr(link, name) for name in link.__struct_fields__})

    def find(self, tx: Transaction, token_digest: bytes) -> MailLink | None:
        row = tx.one(FIND, digest=token_digest)
        return None if row is None else MailLink(**dict(zip(_links.columns.keys(), row, strict=True)))

    def use(self, tx: Transaction, token_digest: bytes, purpose: LinkPurpose, now: float) -> bool:
        return tx.run(USE, digest=token_digest, wanted=purpose, now=now) == 1

    def withdraw(self, tx: Transaction, user_id: str, purpose: LinkPurpose, now: float) -> int:
        return tx.run(WITHDRAW, user=user_id, wanted=purpose, now=now)

    def sent_since(self, tx: Transaction, user_id: str, purpose: LinkPurpose, since: float) -> int:
        row = tx.one(SENT_SINCE, user=user_id, wanted=purpose, since=since)
        return int(row[0]) if row else 0

    def forget_expired(self, tx: Transaction, expired_before: float) -> int:
        return tx.run(FORGET_EXPIRED, before=expired_before)
