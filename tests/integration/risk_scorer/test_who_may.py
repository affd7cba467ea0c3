"""Every door of the scorer by every kind of caller, held against one table: documented operations, pages, acts, files.

A new route fails here until the table says who may use it.
"""

import re
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from plumbing.clock import FixedClock
from plumbing.randomness import SeededRandomness
from risk_scorer.adapters.credentials import SCOPES
from risk_scorer.adapters.operators import SESSION_SECONDS, Operators
from risk_scorer.core.console.operator import ROLES, Role
from risk_scorer.flows.console.ports import Proof
from tests.integration.risk_scorer.console.lying_issuer import CLIENT, SECRET
from tests.integration.risk_scorer.console.test_roles import ADDRESS, EXAMPLES
from tests.integration.risk_scorer.service import EVENT, Running, running
from tests.one_answer import Answer, one_answer
from tests.who_may import EVERYBODY, Door, assert_complete, documented, doors, served

pytestmark = pytest.mark.anyio

WHO_MAY: Final = doors("""
GET   /health                                         everybody
GET   /live                                           everybody
GET   /ready                                          everybody
GET   /docs                                           everybody
GET   /docs.css                                       everybody
GET   /openapi.json                                   everybody
GET   /static                                         everybody

POST  /score                                          score
POST  /bulk_score                                     score
POST  /outcomes                                       outcomes
POST  /decisions                                      outcomes
POST  /sessions                                       outcomes
POST  /feedback                                       feedback
PATCH /incidents/{incident_id}                        feedback
POST  /people/erase                                   erase
POST  /assess                                         activity
POST  /assess/bulk                                    activity
POST  /assess/async                                   activity
GET   /tasks/{task_id}                                activity
POST  /score-session                                  activity
POST  /predict                                        activity
GET   /rules                                          read
GET   /recent                                         read
GET   /labels                                         read
GET   /drift                                          read
GET   /people/{user_id}/activity                      read

GET   /events/{event_id}/narrative                    read, reader
GET   /shadow                                         read, reader
GET   /views                                          read, reader
GET   /views/{name}                                   read, reader
GET   /campaigns                                      read, reader
GET   /campaigns/{campaign_id}                        read, reader
GET   /accounts/scores                                read, reader
GET   /accounts/{user_id}/score                       read, reader
GET   /incidents                                      read, reader
GET   /incidents/{incident_id}                        read, reader

GET   /dashboard                                      reader
GET   /dashboard/events                               reader
GET   /dashboard/figures                              reader
GET   /dashboard/narrative                            reader
GET   /dashboard/executive                            reader
GET   /dashboard/sign-ins                             reader
GET   /dashboard/sign-ins/export.csv                  reader
GET   /dashboard/sign-ins/export.json                 reader
GET   /dashboard/sign-ins/{event_id}                  reader
GET   /dashboard/users                                reader
GET   /dashboard/users/{user_id}                      reader
GET   /dashboard/sessions                             reader
GET   /dashboard/sessions/{session_id}                reader
GET   /dashboard/entities                             reader
GET   /dashboard/entities/{kind}/{value}              reader
GET   /dashboard/views                                reader
GET   /dashboard/views/{name}                         reader
GET   /dashboard/views/{name}/export.csv              reader
GET   /dashboard/views/{name}/export.json             reader
GET   /dashboard/campaigns                            reader
GET   /dashboard/campaigns/{campaign_id}              reader
GET   /dashboard/incidents                            reader
GET   /dashboard/incidents/{incident_id}              reader
GET   /dashboard/policy                               reader
GET   /dashboard/policy/{number}                      reader
GET   /dashboard/model                                reader
GET   /dashboard/model/{version}                      reader
GET   /dashboard/drift                                reader
GET   /dashboard/deliveries                           reader
GET   /dashboard/deliveries/{side}/{receiver}         reader
GET   /dashboard/lab                                  reader
GET   /dashboard/lab/session                          reader
POST  /dashboard/mask                                 reader
POST  /dashboard/theme                                reader

GET   /dashboard/audit                                analyst
POST  /dashboard/policy/draft                         analyst
POST  /dashboard/sign-ins/verdict                     analyst
POST  /dashboard/users/{user_id}/verdict              analyst
POST  /dashboard/users/{user_id}/freeze               analyst
POST  /dashboard/users/{user_id}/unfreeze             analyst
POST  /dashboard/users/{user_id}/force-reset          analyst
POST  /dashboard/users/{user_id}/sign-out             analyst
POST  /dashboard/sessions/{session_id}/end            analyst
POST  /dashboard/campaigns/{campaign_id}/verdict      analyst
POST  /dashboard/campaigns/{campaign_id}/members      analyst
POST  /dashboard/incidents/{incident_id}/change       analyst

POST  /dashboard/deliveries/{side}/{receiver}/change  admin
POST  /dashboard/policy/save                          admin
POST  /dashboard/policy/restore                       admin

GET   /operator/sign-in                               everybody
POST  /operator/sign-in                               everybody
GET   /operator/begin                                 everybody
GET   /operator/callback                              everybody
GET   /operator/signed-out                            everybody
POST  /operator/backchannel-logout                    everybody
POST  /operator/sign-out                              everybody
""")
"""A credential's scope, or the weakest role of the console; the last line ends the session that it is asked with."""
PLACES: Final = {**EXAMPLES, "value": "203.0.113.0"}
"""The address of the login is nowhere in the requests, so that it is in no refusal either."""
CODE: Final = re.compile(r'"error":"(\w+)"|<code>(\w+)</code>')
SIGN_IN: Final = "<h1>Please sign in</h1>"
LET_IN: Final = "in"
CONFUSED: Final = "an admin with a wrong credential"
SHOW_A_WRONG_ONE: Final = ("a wrong credential", "a revoked credential", "an admin's cookie as a credential", CONFUSED)


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Running]:
    """One with every door that there can be, which has scored a login of Alice's."""
    # Nobody is asked at the issuer: no proof of a sign-in is ever shown here.
    single_sign_on = {"console_issuer": "http://127.0.0.1:9", "console_client_id": CLIENT}
    async with running(
        tmp_path, webhook_url="https://hooks.example/in", console_client_secret=SECRET, **single_sign_on
    ) as found:
        await found.client.post("/score", json={**EVENT, "event_id": "evt-1", "ip": ADDRESS})
        yield found


async def callers(service: Running) -> dict[str, dict[str, str]]:
    """Everybody who might come, and the headers that they bring."""
    scorer, now = service.scorer, time.time()
    credentials = {scope: scorer.credentials.add(f"only {scope}", [scope]) for scope in SCOPES}
    revoked = scorer.credentials.add("revoked", SCOPES)
    assert scorer.credentials.revoke("revoked")
    cookies = {role: await _by_link(scorer.operators, role) for role in ROLES}
    ended = await _by_link(scorer.operators, "admin")
    await scorer.operators.sign_out(ended)
    before = FixedClock(now - SESSION_SECONDS - 1)
    expired = await _by_link(Operators(scorer.database, clock=before, randomness=SeededRandomness(9)), "admin")
    proof = Proof(subject="s-1", name="nina", session_id="g-1", proved_at=now, level="aal2", id_token="t")
    others = {
        "nobody": {},
        "a wrong credential": _bearer(f"rgs_{'x' * 43}"),
        "a revoked credential": _bearer(revoked),
        "an admin's cookie as a credential": _bearer(cookies["admin"]),
        "a credential as a cookie": _cookie(credentials["read"]),
        "a session that ended": _cookie(ended),
        "a session that ran out": _cookie(expired),
        "a person without a role": _cookie(await scorer.operators.open(proof)),
        CONFUSED: {**_cookie(await _by_link(scorer.operators, "admin")), **_bearer("rgs_wrong")},
    }
    return {
        **others,
        **{scope: _bearer(text) for scope, text in credentials.items()},
        **{role: _cookie(text) for role, text in cookies.items()},
    }


def expected(door: Door, caller: str) -> str:
    """What the table says of this caller at this door: in, or the refusal."""
    if door.words & {EVERYBODY, caller}:
        return LET_IN
    weakest = next((role for role in ROLES if role in door.words), None)
    is_api = bool(door.words & set(SCOPES))
    if caller in ROLES and weakest is not None:
        return LET_IN if ROLES.index(caller) > ROLES.index(weakest) else "role_required"
    if caller in SCOPES and is_api:
        return "insufficient_scope"
    if is_api:
        return "invalid_token" if caller in SHOW_A_WRONG_ONE else "credential_required"
    if caller == CONFUSED:  # pages never look at one
        return LET_IN
    return "no_role" if caller == "a person without a role" else "sign_in"


def told(door: Door, answer: Answer) -> str:
    """The refusal of a guard, or `in` where none stood in the way."""
    assert answer.status not in (405, 500), (door, answer)
    found = CODE.search(answer.body)
    code = "" if found is None else found[1] or found[2]
    refusals = {"credential_required": 401, "invalid_token": 401, "insufficient_scope": 403}
    refusals |= {"role_required": 403, "no_role": 403}
    if answer.status == 401 and SIGN_IN in answer.body:
        return "sign_in"
    return code if refusals.get(code) == answer.status else LET_IN


async def test_the_table_names_every_door_and_no_other(service: Running) -> None:
    """What the application serves, and what its OpenAPI document says: closed there is closed here."""
    document = (await service.client.get("/openapi.json")).json()
    assert_complete(WHO_MAY, served(service.app) | documented(document))
    for door in WHO_MAY:
        operation = document["paths"].get(door.path, {}).get(door.method.lower())
        if operation is not None:
            scopes = [scope for scope in SCOPES if f"credential with the scope `{scope}`." in operation["description"]]
            assert (door, frozenset(scopes)) == (door, door.words & set(SCOPES))
            assert (door, "security" in operation) == (door, EVERYBODY not in door.words)


async def test_every_door_opens_to_those_whom_the_table_names_and_to_nobody_else(service: Running) -> None:
    """Whoever may not come is told why, and nothing else: no page's frame, no address of anybody's login."""
    wrong: list[str] = []
    for caller, headers in (await callers(service)).items():
        for door in WHO_MAY:
            wrong.extend(complaints(door, caller, await ask(service, door, headers)))
    assert not wrong, "\n".join(wrong)


def complaints(door: Door, caller: str, answer: Answer) -> Iterator[str]:
    """What is not as the table says."""
    found, where = told(door, answer), f"{caller} at {door.method} {door.path}"
    if found != expected(door, caller):
        yield f"{where}: {found}, not {expected(door, caller)}"
    if found != LET_IN and (ADDRESS in answer.body or 'class="side"' in answer.body):
        yield f"{where}: shown more than the refusal"
    if found == "insufficient_scope":
        [needed] = door.words & set(SCOPES)
        if f'scope="{needed}"' not in answer.headers["www-authenticate"]:
            yield f"{where}: not told that {needed} is needed"


async def ask(service: Running, door: Door, headers: Mapping[str, str]) -> Answer:
    """One request that no door can do anything with: a guard comes before anything of it is read."""
    path = door.at(PLACES) + {"/static": "/scorer.css", "/operator/sign-in": "?token=x"}.get(door.path, "")
    return await one_answer(service.app, door.method, path, headers=headers, body=b"{" if door.method != "GET" else b"")


def _bearer(text: str) -> dict[str, str]:
    return {"authorization": f"Bearer {text}"}


def _cookie(text: str) -> dict[str, str]:
    return {"cookie": f"riskgate_operator={text}"}


async def _by_link(operators: Operators, role: Role) -> str:
    session = await operators.sign_in(operators.new_link_token(role))
    assert session is not None
    return session
