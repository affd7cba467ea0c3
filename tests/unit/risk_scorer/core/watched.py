"""A small reference: the hour, the reputation and the score of a hundred logins, for the tests of drift."""

from risk_scorer.core.manifest import Span
from risk_scorer.core.reference import FORMAT, Reference, Spread

REFERENCE = Reference(
    format=FORMAT,
    span=Span(first=0.0, last=1.0),
    logins=100,
    prompted=2,
    denied=0,
    unknown={"ip": 20, "user": 5},
    spreads={
        "hour": Spread(edges=(6.0, 12.0, 18.0), counts=(10, 40, 40, 10, 0)),
        "ip_rep": Spread(edges=(25.0,), counts=(95, 5, 0)),
        "score": Spread(edges=(-1.0, 0.5, 5.0), counts=(50, 40, 8, 2, 0)),
    },
)
