"""Joins people: who is at risk, one of them, and what is done to their account."""

from risk_scorer.adapters.activity.account_ranking import AccountRankingReader
from risk_scorer.adapters.console.act_rows import ActRows
from risk_scorer.adapters.console.person_rows import PersonRows
from risk_scorer.adapters.console.session_rows import SessionRows
from risk_scorer.adapters.console.sign_in_rows import SignInRows
from risk_scorer.api.console.user_acts import UserForms
from risk_scorer.api.console.users import UserViews
from risk_scorer.api.console.views import View
from risk_scorer.console.judging import shown_judge
from risk_scorer.console.parts import Parts
from risk_scorer.flows.console.people import PeopleDesk
from risk_scorer.flows.console.sign_ins import SignIns
from risk_scorer.flows.console.user_acts import UserActs


def views(parts: Parts) -> tuple[View, ...]:
    """The riskiest people; the page of one comes last, since its address takes any id."""
    scorer = parts.scorer
    people = PeopleDesk(
        people=PersonRows(scorer.database),
        sessions=SessionRows(scorer.database, clock=scorer.clock),
        rankings=AccountRankingReader(scorer.database),
        standings=parts.acting.standing,
        sign_ins=SignIns(SignInRows(scorer.database), clock=scorer.clock),
        acts=ActRows(scorer.database, clock=scorer.clock),
        gateway=parts.gateway,
        clock=scorer.clock,
    )
    found = UserViews(desk=parts.desk, people=people)
    return (*found.views(), *UserForms(desk=parts.desk, acts=user_acts(parts)).views(), *found.last_views())


def user_acts(parts: Parts) -> UserActs:
    """What analysts say of people and have done."""
    scorer = parts.scorer
    sign_ins = SignIns(SignInRows(scorer.database), clock=scorer.clock)
    return UserActs(gateway=parts.gateway, sign_ins=sign_ins, judge=shown_judge(scorer), clock=scorer.clock)
