"""`/admin/deliveries` in the API reference: one entry for each address and method."""

from auth_gateway.api.reference import TEXT, Schema, answer, json_of, operation, query_of, ref

SCOPE = "Needs the scope `webhooks:manage`."
_RECEIVER: Schema = {"name": "receiver", "in": "path", "required": True, "schema": TEXT, "description": "As listed."}


def _entry(
    text: str, answers: Schema, *refusals: str, body: str = "", parameters: tuple[Schema, ...] = (_RECEIVER,)
) -> Schema:
    bodies = json_of(ref(body)) if body else None
    with_body = ("400", "413", "415", "422") if body else ()
    entry = operation(
        description=f"{text} {SCOPE}",
        answers=answers,
        bodies=bodies,
        refusals=("401", "403", *with_body, *refusals, "503"),
        takes_token=True,
    )
    if body:
        entry["requestBody"]["required"] = False
    if parameters:
        entry["parameters"] = list(parameters)
    return entry


LIST = _entry(
    "Everybody who gets messages: destinations, streams of Shared Signals, and what settings name; how each stands.",
    {"200": answer("All.", "ShownReceivers")},
    parameters=(),
)
SHOW = _entry(
    "One of them, with its messages, the newest first. `status` is waiting, in_flight, delivered or dead.",
    {"200": answer("A page.", "ReceiverDeliveries")},
    "400",
    "404",
    "422",
    parameters=(_RECEIVER, *query_of("status", "limit", "before")),
)
RETRY = _entry(
    "Try a message that waits or is dead at once, with all its attempts before it; without one, up to 2,000 dead ones.",
    {"202": answer("How many.", "Retried")},
    "404",
    "409",
    body="RetryBody",
)
TEST = _entry(
    "Send a message that says no more than that it arrived: `webhook.test`, or the verification of a stream.",
    {"202": answer("On its way.", "Sent")},
    "400",
    "404",
    "409",
    "429",
)
