"""Which risk of a session asks for which response, and which marks a policy document may set."""

import pytest

from auth_gateway.core.detections import BELOW_HIGH, BELOW_MEDIUM, of_session_risk
from auth_gateway.core.policy import Policy
from auth_gateway.core.policy_document import BadDocument, parse
from auth_gateway.core.session import Session
from auth_gateway.core.session_risk import USUAL, Response, SessionMarks, response_to
from auth_gateway.core.user_risk import NO_RISK, raised

NOW = 1_700_000_000.0


def marks_of(text: str) -> SessionMarks:
    return parse(text.encode(), Policy()).session_marks


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (59.99, "none"),
        (60, "step_up"),
        (79.99, "step_up"),
        (80, "reset"),
        (89.99, "reset"),
        (90, "logout"),
        (96.99, "logout"),
        (97, "freeze"),
        (100, "freeze"),
    ],
)
def test_each_mark_begins_a_response(score: float, expected: Response) -> None:
    """The hardest whose mark is reached."""
    assert response_to(score, USUAL) == expected


@pytest.mark.parametrize(("score", "expected"), [(60, "none"), (89.99, "none"), (90, "logout"), (97, "freeze")])
def test_a_risk_that_names_no_session_ends_none_below_the_marks_of_persons(score: float, expected: Response) -> None:
    """Who is one of many is doubted, and not thrown out for it."""
    assert response_to(score, USUAL, names_session=False) == expected


def test_a_document_without_the_table_has_the_usual_marks() -> None:
    """And so has the table without a mark."""
    assert marks_of("") == USUAL
    assert marks_of("[session_marks]\n") == USUAL


def test_marks_are_what_the_document_says() -> None:
    """A response that is never wanted passes its scores on to the milder one."""
    marks = marks_of('[session_marks]\nstep_up = 65\nlogout = 92.5\nfreeze = "never"\nreport_only = true\n')
    assert marks == SessionMarks(step_up=65, reset=80, logout=92.5, freeze=None, report_only=True)
    assert response_to(100, marks) == "logout"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("[session_marks]\nstep_up = 59.9", 2, "step_up 59.9 is not from 60 to 80"),
        ("[session_marks]\nstep_up = 80.1", 2, "not from 60 to 80"),
        ('[session_marks]\nstep_up = "never"', 2, "is not a number"),
        ("[session_marks]\n\nfreeze = 79", 3, "freeze 79 is not from 80 to 100"),
        ("[session_marks]\nlogout = 101", 2, "not from 60 to 100"),
        ("[session_marks]\nlogout = nan", 2, 'not a number or "never"'),
        (f"[session_marks]\nfreeze = 9{'9' * 400}", 2, "is not from 80 to 100"),
        (f"[session_marks]\nfreeze = 0x{'f' * 5000}", 2, "is not from 80 to 100"),
        ("[session_marks]\nreset = true", 2, 'not a number or "never"'),
        ("[session_marks]\nreset = 91", 2, "logout from 90 on is before reset from 91 on"),
        ("[session_marks]\nstep_up = 75\nreset = 70", 3, "reset from 70 on is before step_up from 75 on"),
        ('[session_marks]\nreset = "never"\nlogout = 70\nstep_up = 72', 3, "logout from 70 on is before step_up"),
        ("[session_marks]\nkick = 70", 2, "unknown key 'kick'"),
        ("[session_marks]\nreport_only = 1", 2, "report_only 1 is not true or false"),
        ("session_marks = 70", 1, "must be a table"),
        ("[[session_marks]]\nstep_up = 70", 1, "must be a table"),
    ],
)
def test_what_is_wrong_with_marks_is_told_with_its_line(text: str, line: int, words: str) -> None:
    """Nothing is guessed: a mark that nobody applies would be believed in."""
    with pytest.raises(BadDocument) as refused:
        marks_of(text)
    assert [(problem.line, words in problem.message) for problem in refused.value.problems] == [(line, True)]


def test_the_groups_and_roles_of_a_document_are_what_people_are() -> None:
    """In the order of their names, and nobody is what no line says."""
    document = parse(b'[groups]\nstaff = ["alice", "bob"]\n[roles]\nadmin = ["alice"]\nboss = ["@staff"]\n', Policy())
    assert document.roles_of("alice") == ("admin", "boss", "staff")
    assert document.roles_of("bob") == ("boss", "staff")
    assert document.roles_of("carol") == ()


@pytest.mark.parametrize(
    ("response", "score", "is_campaign", "most"),
    [
        ("none", 60, False, BELOW_MEDIUM),
        ("step_up", 64, False, BELOW_MEDIUM),
        ("reset", 85, False, BELOW_HIGH),
        ("logout", 95, False, BELOW_HIGH),
        ("freeze", 100, False, BELOW_HIGH),
        ("none", 64, True, BELOW_MEDIUM),
        ("none", 95, True, BELOW_HIGH),
    ],
)
def test_a_thief_of_sessions_never_shuts_the_owner_out_by_the_person_s_risk(
    response: Response, score: float, is_campaign: bool, most: float
) -> None:
    """However often it is signalled, the owner still gets in with a factor."""
    risk = NO_RISK
    for _ in range(20):
        risk = raised(risk, of_session_risk(response, score, is_campaign=is_campaign), NOW)
    assert 0 < risk.value <= most


@pytest.mark.parametrize(
    ("asked_at", "answered_at", "issued_at", "counts"),
    [
        (None, None, 100, True),
        (100.5, None, 90, False),
        (100.5, None, 101, False),
        (100.5, 105.5, 99, False),
        (100.5, 105.5, 104, False),
        (100.5, 105.5, 105, True),
        (100.5, 100.9, 100, False),
        (100.5, 100.9, 101, True),
        (110.5, 105.5, 107, False),
    ],
)
def test_tokens_of_before_the_answer_stay_dead(
    asked_at: float | None, answered_at: float | None, issued_at: int, counts: bool
) -> None:
    """And one of the very second of the question, which may be a thief's."""
    session = Session(
        session_id="s",
        user_id="alice",
        client_id="app",
        amr="pwd",
        acr="aal1",
        auth_time=90,
        ip="198.51.100.9",
        user_agent="",
        device_digest=None,
        risk_score=None,
        created_at=90.0,
        expires_at=1000.0,
        asked_at=asked_at,
        answered_at=answered_at,
    )
    assert session.counts(issued_at) is counts
