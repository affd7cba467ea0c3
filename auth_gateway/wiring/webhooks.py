"""What programs that look after webhooks run the gateway with. No rules."""

from fastapi import FastAPI

from auth_gateway.api.admin import webhook_reference as reference
from auth_gateway.api.admin.webhooks import WebhookRoutes
from auth_gateway.service import Service
from auth_gateway.telling import deliveries, listeners, replays
from auth_gateway.wiring.admin import gate
from plumbing.lean import add_lean

ROOT = "/admin/webhooks"
ONE = f"{ROOT}/{{name}}"
MESSAGE = f"{ONE}/deliveries/{{message_id}}"


def add(app: FastAPI, service: Service) -> None:
    """Serve and document them."""
    gateway = service.gateway
    routes = WebhookRoutes(
        gate=gate(service),
        listeners=listeners(gateway),
        deliveries=deliveries(gateway),
        replays=replays(gateway),
        wake=service.wake,
    )
    for method, path, endpoint, summary, operation in (
        ("GET", ROOT, routes.get_all, "Who is told of events", reference.LIST),
        ("POST", ROOT, routes.post_new, "Tell another one", reference.ADD),
        ("GET", ONE, routes.get_one, "One who is told", reference.SHOW),
        ("PATCH", ONE, routes.patch_one, "Change its terms", reference.CHANGE),
        ("DELETE", ONE, routes.delete_one, "Forget one", reference.REMOVE),
        ("POST", f"{ONE}/enable", routes.post_enable, "Tell it again", reference.ENABLE),
        ("POST", f"{ONE}/disable", routes.post_disable, "Tell it nothing", reference.DISABLE),
        ("POST", f"{ONE}/rotate-secret", routes.post_rotate_secret, "A new secret", reference.ROTATE),
        ("POST", f"{ONE}/test", routes.post_test, "Send a test message", reference.TEST),
        ("GET", f"{ONE}/deliveries", routes.get_deliveries, "What became of messages", reference.DELIVERIES),
        ("GET", MESSAGE, routes.get_delivery, "What became of one", reference.DELIVERY),
        ("POST", f"{MESSAGE}/retry", routes.post_retry, "Try it now", reference.RETRY),
        ("POST", f"{ONE}/retry", routes.post_retry_dead, "Try dead ones now", reference.RETRY_DEAD),
        ("GET", f"{ONE}/replays", routes.get_replays, "Replays", reference.REPLAYS),
        ("POST", f"{ONE}/replays", routes.post_replay, "Replay a span", reference.REPLAY),
        ("DELETE", f"{ONE}/replays/running", routes.delete_replay, "Stop a replay", reference.STOP_REPLAY),
    ):
        add_lean(app, path, endpoint, method=method, summary=summary, operation=operation)
