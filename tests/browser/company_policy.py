"""The invented company's policy at its gateway, changed twice, and the logins that it decided."""

from tests.console_place import Place
from tests.running_provider import Person
from tests.saved_policy import save_policy
from tests.stories.gateway.story import PASSWORD

FIRST = """# Reviewed with the help desk in spring.
[networks]
office = ["192.0.2.0/24", "2001:db8:40::/44"]

[groups]
admins = ["{admin}"]
left = ["{left}"]

[[rule]]
name = "people-who-left"
when = {{ group = "left" }}
then = "deny"

[[rule]]
name = "admins-show-a-passkey"
when = {{ group = "admins" }}
then = "challenge"
demand = "phishing_resistant"
report_only = true

[[rule]]
name = "office-is-quieter"
when = {{ network = "office", login_risk = ">= 60, < 70" }}
then = "allow"
"""
MARKS = """
[[marks]]
client = ["payroll", "bank"]
step_up = 45.5
"""


def decide(place: Place, people: list[Person]) -> None:
    """Two versions are saved, and everybody comes twice; the first has left, the second is an admin."""
    left, admin = people[0].username, people[1].username
    document = FIRST.format(left=left, admin=admin)
    save_policy(place.provider.gateway, document, by="grace", why="Who left gets in no more; admins are counted first")
    save_policy(place.provider.gateway, document + MARKS, by="mara", why="Payroll asks earlier")
    with place.provider.http() as http:
        for person in (*people, *people):
            http.post("/login", json={"username": person.username, "password": PASSWORD})
