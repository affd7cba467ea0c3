"""`/admin/webhooks` in the API reference: one entry for each address and method."""

from auth_gateway.api.reference import TEXT, Schema, answer, json_of, operation, query_of, ref

SCOPE = "Needs the scope `webhooks:manage`."
_NAME: Schema = {"name": "name", "in": "path", "required": True, "schema": TEXT, "description": "Its name or id."}
_MESSAGE: Schema = {"name": "message_id", "in": "path", "required": True, "schema": TEXT}
_NOTHING: Schema = {"description": "Done.", "content": {}}
_REPLAY = {"from": "2026-01-31T08:00:00Z", "to": "2026-01-31T09:00:00Z", "types": ["login.*"]}


def _entry(
    text: str,
    answers: Schema,
    *refusals: str,
    body: str = "",
    example: object = None,
    is_optional: bool = False,
    parameters: tuple[Schema, ...] = (_NAME,),
) -> Schema:
    bodies = json_of(ref(body), example) if body else None
    with_body = ("400", "413", "415", "422") if body else ()
    entry = operation(
        description=f"{text} {SCOPE}",
        answers=answers,
        bodies=bodies,
        refusals=("401", "403", *with_body, *(code for code in refusals if code not in {"404", "409"}), "503"),
        takes_token=True,
    )
    if is_optional:
        entry["requestBody"]["required"] = False
    if parameters:
        entry["parameters"] = list(parameters)
        entry["responses"]["404"] = {"description": "Nothing has this name.", "content": json_of(ref("Refusal"))}
    if "409" in refusals:
        entry["responses"]["409"] = {"description": "Not as things stand.", "content": json_of(ref("Refusal"))}
    return entry


LIST = _entry("Everyone who is told of events, by name.", {"200": answer("All.", "Webhooks")}, parameters=())
ADD = _entry(
    "Tell another one from now on. The secret is in this answer and in no other.",
    {"201": answer("Added.", "AddedWebhook")},
    "409",
    body="WebhookBody",
    example={"name": "siem", "url": "https://siem.example/in", "filter": {"types": ["login.*"], "min_score": 60}},
    parameters=(),
)
SHOW = _entry("One who is told of events.", {"200": answer("It.", "ShownWebhook")})
CHANGE = _entry(
    "Other terms for one; what is not named stays, within `filter`, `privacy` and `folding` too. What waits is sent as "
    "it was made.",
    {"200": answer("As it is now.", "ShownWebhook")},
    body="DestinationChange",
    example={"filter": {"min_score": 80}, "privacy": {"ip": "full"}},
)
REMOVE = _entry("Forget it and its secret; what waits for it is given up.", {"204": _NOTHING})
ENABLE = _entry("Tell it again; what waited for it is sent.", {"200": answer("Enabled.", "ShownWebhook")})
DISABLE = _entry(
    "Tell it nothing from now on; what waits for it waits.",
    {"200": answer("Disabled.", "ShownWebhook")},
    body="DisableBody",
    is_optional=True,
)
ROTATE = _entry(
    "A new secret, in this answer and in no other; the old one signs too until the overlap ends.",
    {"200": answer("The new one.", "NewSecret")},
    "409",
    body="OverlapBody",
    is_optional=True,
)
TEST = _entry(
    "Send `webhook.test` to it alone. What became of it is told at `/admin/webhooks/{name}/deliveries/{message_id}`.",
    {"202": answer("On its way.", "Delivered")},
    "409",
)
DELIVERIES = _entry(
    "Messages to it and how each stands, the newest first. `status` is waiting, in_flight, delivered or dead.",
    {"200": answer("A page.", "ShownDeliveries")},
    "400",
    "422",
    parameters=(_NAME, *query_of("status", "limit", "before")),
)
DELIVERY = _entry("One message.", {"200": answer("It.", "Delivered")}, parameters=(_NAME, _MESSAGE))
RETRY = _entry(
    "Try a message that waits or is dead at once, with all its attempts before it.",
    {"202": answer("As it stands now.", "Delivered")},
    "409",
    parameters=(_NAME, _MESSAGE),
)
RETRY_DEAD = _entry("The same for all dead ones.", {"202": answer("How many.", "Retried")}, "409")
REPLAYS = _entry("Spans that it is or was told again.", {"200": answer("The newest first.", "ShownReplays")})
REPLAY = _entry(
    "Tell it again what happened in a span: the same events in new messages that name the replay. One at a time.",
    {"202": answer("Begun.", "ShownReplay")},
    "409",
    body="ReplayBody",
    example=_REPLAY,
)
STOP_REPLAY = _entry("End the replay that runs.", {"204": _NOTHING}, "409")
