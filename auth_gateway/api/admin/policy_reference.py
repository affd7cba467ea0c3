"""The reference of `/policy`."""

from auth_gateway.api.reference import TEXT, Schema, answer, json_of, operation, query_of, ref

_DOCUMENT = '[[rule]]\nname = "abroad"\nwhen = { country = "KP" }\nthen = "deny"\nreport_only = true\n'
_WORDS = {"by": "mara@soc.example", "why": "first only counted"}
_VERSION: Schema = {"name": "version", "in": "path", "required": True, "schema": {"type": "integer"}}
_IF_MATCH: Schema = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "schema": TEXT,
    "description": "The ETag of the version that was looked at.",
}
_READS = ("401", "403", "422", "503")
_TAKES = ("400", "401", "403", "413", "415", "422", "503")


def _refusal(text: str) -> Schema:
    return {"description": text, "content": json_of(ref("Refusal"))}


def _entry(
    text: str,
    shape: str,
    refusals: tuple[str, ...],
    *,
    bodies: Schema | None = None,
    parameters: tuple[Schema, ...] = (),
    more: tuple[tuple[str, str], ...] = (),
) -> Schema:
    answers = {"200": answer("As it is.", shape)}
    entry = operation(description=text, answers=answers, refusals=refusals, bodies=bodies, takes_token=True)
    for status, why in more:
        entry["responses"][status] = _refusal(why)
    return {**entry, "parameters": list(parameters)} if parameters else entry


_CHANGES = (
    ("409", "`policy_from_file`: the policy is a file of the operator's (LOGIN_POLICY_FILE)."),
    ("412", "`policy_changed`: somebody saved another version since; nothing was changed."),
    ("428", "`if_match_required`: If-Match is missing."),
)
GET = _entry(
    "The document in force, who saved it when and why, and what it means. Needs the scope `policy:read`.",
    "ShownPolicy",
    ("401", "403", "503"),
)
PUT = _entry(
    "Another document. It is read whole before anything changes (`invalid_policy` names each fault's line), kept "
    "beside all earlier ones, and counts at every gateway within seconds. Needs the scope `policy:write`.",
    "ShownPolicy",
    _TAKES,
    bodies=json_of(ref("SaveBody"), {"document": _DOCUMENT, **_WORDS}),
    parameters=(_IF_MATCH,),
    more=_CHANGES,
)
RESTORE = _entry(
    "An earlier document again, as a new version; 0 is the empty one before the first. Needs the scope `policy:write`.",
    "ShownPolicy",
    _TAKES,
    bodies=json_of(ref("RestoreBody"), {"version": 3, **_WORDS}),
    parameters=(_IF_MATCH,),
    more=(*_CHANGES, ("404", "`unknown_version`.")),
)
CHECK = _entry(
    "What a document means and how it differs from the one in force, with single switches and marks set in its text; "
    "nothing is saved. Needs the scope `policy:read`.",
    "ShownDraft",
    _TAKES,
    bodies=json_of(ref("CheckBody"), {"document": _DOCUMENT, "edits": {"report_only": {"abroad": False}}}),
)
BACKTEST = _entry(
    "What a document would have decided of the newest recorded decisions of a span, beside the rules in force: counts, "
    "who would change, and how many logins would be asked for a factor. Bounded in decisions and in time, as "
    "`is_whole` says; nothing is written. Needs the scope `policy:read`.",
    "BacktestResult",
    _TAKES,
    bodies=json_of(ref("BacktestBody"), {"document": _DOCUMENT, "from": "2026-01-01T00:00:00Z"}),
    more=(("409", "`backtest_running`: another one runs in this process."),),
)
RULES = _entry(
    "How often each rule answered within a day and a week, and how often those that only report would have. Needs the "
    "scope `policy:read`.",
    "PolicyRules",
    ("401", "403", "503"),
)
HISTORY = _entry(
    "Saved versions without their texts, the newest first, 50 at a time at the most. Needs the scope `policy:read`.",
    "PolicyHistory",
    _READS,
    parameters=tuple(query_of("cursor", "limit")),
)
VERSION = _entry(
    "A saved version with its text. Needs the scope `policy:read`.",
    "ShownVersion",
    ("401", "403", "503"),
    parameters=(_VERSION,),
    more=(("404", "`unknown_version`."),),
)
DIFFERENCE = _entry(
    "How two versions differ, line by line; 0 is the empty one before the first. Needs the scope `policy:read`.",
    "PolicyDifference",
    _READS,
    parameters=tuple(query_of("from", "to")),
    more=(("404", "`unknown_version`."),),
)
