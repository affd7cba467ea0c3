"""What is believed of our own proxies, and how often they say what nobody can believe."""

from auth_gateway.api.edge import Edge
from auth_gateway.settings import Settings
from plumbing.metrics import Meters
from plumbing.proxied_connection import REFUSED
from plumbing.tally import Tally


def edge_of(settings: Settings, meters: Meters) -> Edge:
    """The edge as it is configured; metrics tell what it does not believe."""
    unbelieved = Tally("edge_unbelieved")
    meters.look(
        "riskgate_edge_unbelieved_total",
        "What our own proxies said of a request and was not believed.",
        ["reason"],
        unbelieved.readings,
        of="process",
    )
    meters.look(
        "riskgate_edge_connections_refused_total",
        "Connections closed for what stood before their first request.",
        ["reason"],
        REFUSED.readings,
        of="process",
    )
    return Edge(
        trusted_networks=settings.trusted_proxies,
        anyone_may_vouch=settings.is_demo,
        forwarded_header=settings.forwarded_header,
        ja4_header=settings.edge_ja4_header,
        unbelieved=unbelieved,
    )
