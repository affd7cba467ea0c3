"""The reference of `/accounts`."""

from auth_gateway.api.reference import Schema, answer, json_of, operation, query_of, ref

_PERSON: Schema = {"name": "user_id", "in": "path", "required": True, "schema": {"type": "string"}}
_WORDS = {"by": "mara@soc.example", "why": "the phone was stolen"}
_REFUSALS = ("400", "401", "403", "404", "413", "415", "422", "503")


def _described(text: str, shape: str, bodies: Schema | None = None) -> Schema:
    refusals = ("401", "403", "404", "422", "503") if bodies is None else _REFUSALS
    answers = {"200": answer("As it is now.", shape)}
    described = operation(description=text, answers=answers, refusals=refusals, bodies=bodies, takes_token=True)
    return {**described, "parameters": [_PERSON]}


SUMMARY = _described(
    "The account, the sessions that run, what is held against the person, the latest signals about them, and what the "
    "scorer says of what they do (null, with a reason, where it does not answer). Needs the scope `risk:read`.",
    "AccountSummary",
)
FREEZE = _described(
    "Nobody gets in any more, and every session ends, until somebody opens the account again. Needs `risk:write`.",
    "Frozen",
    bodies=json_of(ref("ReviewBody"), _WORDS),
)
UNFREEZE = _described(
    "The person may log in again; ended sessions stay ended. With the `version` that the summary said, an account that "
    "was frozen again since stays frozen (409 `changed_meanwhile`). Needs `risk:write`.",
    "Frozen",
    bodies=json_of(ref("UnfreezeBody"), {**_WORDS, "why": "spoke to her: the export was hers", "version": 4}),
)
RESET = _described(
    "Every session of the person ends, and the trust in every browser. Needs `risk:write`.",
    "SessionsReset",
    bodies=json_of(ref("ReviewBody"), _WORDS),
)
END_SESSION = _described(
    "The session ends, with every token of it; the person's other sessions go on, and browsers that are trusted stay "
    "so. Done already, it changes nothing (`ended` is 0). 404 `unknown_session` for one that this person never had. "
    "Needs `risk:write`.",
    "SessionsReset",
    bodies=json_of(ref("ReviewBody"), {**_WORDS, "why": "she has never used that browser"}),
)
END_SESSION["parameters"] = [_PERSON, {**_PERSON, "name": "session_id"}]
FORCE_RESET = _described(
    "Every session ends, and nobody gets in with the password of now: the owner sets another one by the recovery "
    "letter, with a factor where they have one, and is told so by mail. Done already, it changes nothing. 409 "
    "`changed_meanwhile` as at unfreeze, `account_frozen` for one that a reviewer froze, `no_mail_address` where no "
    "letter could reach the owner. Needs `risk:write`.",
    "ResetForced",
    bodies=json_of(ref("UnfreezeBody"), {**_WORDS, "version": 4}),
)
LIST: Schema = {
    **operation(
        description="Accounts, a page at a time: all by name, or those whose user id is `query`, whose name begins "
        "with it, or whose mail address does (from three signs on). `state` is `active` or `frozen`; `cursor` is the "
        "`next` of the page before; `limit` is 1 to 200, 50 unless given. Or else those of "
        "`ids`, a JSON list of up to 50 user ids. Needs the scope `risk:read`.",
        answers={"200": answer("A page of them.", "AccountList")},
        takes_token=True,
        refusals=("401", "403", "422", "503"),
    ),
    "parameters": query_of("query", "state", "cursor", "limit", "ids"),
}
SESSIONS = _described(
    "The person's live sessions, the newest first, up to 200. Needs the scope `risk:read`.", "AccountSessions"
)
for _changing in (UNFREEZE, FORCE_RESET):
    _changing["responses"]["409"] = {"description": "Not as it is now.", "content": json_of(ref("Refusal"))}
