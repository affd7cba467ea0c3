"""What `/policy/try` and `/policy/try-sessions` take and answer."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from auth_gateway.core.facts import Reported
from auth_gateway.core.policy_trial import TrialPath
from auth_gateway.core.session_risk import Response
from auth_gateway.core.user_risk import UserLevel
from auth_gateway.flows.policy_trial import AccountWord

MOST_SCORES = 100
Text = Annotated[str, Meta(max_length=256)]
Score = Annotated[float, Meta(ge=0, le=100)]
Code = Annotated[str, Meta(min_length=1, max_length=64)]


class PolicyTrialBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`POST /policy/try`: a request that somebody supposes. `score` null is a request without one; whoever `user_id`
    names is looked up, and is not told."""

    client_id: Text
    user_id: Text = ""
    path: TrialPath = "login"
    ip: Annotated[str, Meta(max_length=64)] = ""
    country: Annotated[str, Meta(max_length=128)] = ""
    score: Score | None = None
    reasons: Annotated[list[Code], Meta(max_length=64)] = []
    model_version: Text = ""
    is_known_device: bool = False
    is_same_context: bool = False
    is_same_client: bool = False


class PolicyTrial(msgspec.Struct, frozen=True, kw_only=True):
    """What would become of it, by which rule, and what of the person that was given for. `reported` are the rules that
    only report and would have answered."""

    decision: Literal["allow", "challenge", "deny"]
    rule: str
    demand: str
    reported: list[Reported]
    account: AccountWord
    factors: list[str]
    user_level: UserLevel
    leeway: float


class SessionTrialBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`POST /policy/try-sessions`: risks of a session that somebody supposes, as the scorer would signal them."""

    scores: Annotated[list[Score], Meta(min_length=1, max_length=MOST_SCORES)]


class SessionTrial(msgspec.Struct, frozen=True, kw_only=True):
    """What would be done at each, in their order. With `report_only` nothing would be: it is written down alone."""

    responses: list[Response]
    report_only: bool


SHAPES = (PolicyTrialBody, PolicyTrial, SessionTrialBody, SessionTrial)
