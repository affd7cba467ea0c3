"""`POST /policy/try`: what policy would answer to a request that never was, for programs. Nothing is written."""

import asyncio
from dataclasses import dataclass

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.admin.gate import AdminGate
from auth_gateway.api.admin.policy_trial_shapes import PolicyTrial, PolicyTrialBody
from auth_gateway.api.reference import Schema, answer, json_of, operation, ref
from auth_gateway.core.decision import Challenge
from auth_gateway.core.policy_trial import Supposed
from auth_gateway.core.provider.client import AdminScope
from auth_gateway.core.user_risk import user_level
from auth_gateway.flows.policy_trial import Tried, TryPolicy
from plumbing.asgi import json_answer
from plumbing.bodies import decode, read_body, require_json

MOST_BYTES = 16_384
READ: AdminScope = "policy:read"

TRY: Schema = operation(
    description="What the switches and the policy document in force would answer to a request that somebody supposes, "
    "with the factors and the risk that its person has now. Nothing is written, counted or told. Needs the scope "
    "`policy:read`.",
    answers={"200": answer("What would become of it.", "PolicyTrial")},
    bodies=json_of(
        ref("PolicyTrialBody"),
        {"client_id": "web", "user_id": "usr_1", "ip": "203.0.113.7", "score": 71.5, "reasons": ["new_device"]},
    ),
    refusals=("400", "401", "403", "413", "415", "422", "503"),
    takes_token=True,
)

_decoder = msgspec.json.Decoder(PolicyTrialBody)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyTrialRoutes:
    """Where programs try the policy."""

    gate: AdminGate
    attempt: TryPolicy

    async def post_try(self, request: Request) -> Response:
        """The answer.

        Raises: Refused by the gate, and those of a bad body.
        """
        await self.gate(request, READ)
        require_json(request)
        body = decode(_decoder, await read_body(request, max_bytes=MOST_BYTES))
        tried = await asyncio.to_thread(
            lambda: self.attempt(_supposed(body), body.user_id, is_known_device=body.is_known_device)
        )
        return json_answer(_shown(tried))


def _supposed(body: PolicyTrialBody) -> Supposed:
    return Supposed(
        path=body.path,
        client_id=body.client_id,
        ip=body.ip,
        country=body.country,
        score=body.score,
        reasons=tuple(body.reasons),
        model_version=body.model_version,
        is_same_context=body.is_same_context,
        is_same_client=body.is_same_client,
    )


def _shown(tried: Tried) -> PolicyTrial:
    decision, standing = tried.verdict.decision, tried.standing
    return PolicyTrial(
        decision=decision.name,
        rule=decision.rule,
        demand=decision.demand if isinstance(decision, Challenge) else "",
        reported=list(tried.verdict.reported),
        account=tried.account,
        factors=list(standing.factors),
        user_level=user_level(standing.user_risk),
        leeway=round(standing.leeway, 2),
    )
