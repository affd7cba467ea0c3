"""What answers requests: the adapters that live on the event loop, joined with the flows. No rules."""

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from auth_gateway.adapters import browser_names
from auth_gateway.adapters.keys import RELOAD_SECONDS
from auth_gateway.adapters.password_schemes import scheme_named
from auth_gateway.adapters.passwords import PooledPasswords, wrong_guess_seconds
from auth_gateway.adapters.recent_lines import MemoryLines
from auth_gateway.adapters.recent_rulings import MemoryRulings
from auth_gateway.adapters.refusal_floor import RefusalFloor
from auth_gateway.adapters.scorer import HttpScorer
from auth_gateway.adapters.storage.trusted_devices import StoredTrustedDevices
from auth_gateway.adapters.unknown_names import Allowance
from auth_gateway.api.devices import DeviceCookie
from auth_gateway.api.login import LoginRoutes
from auth_gateway.api.service import ServiceRoutes, publish_nothing
from auth_gateway.api.token import TokenRoutes
from auth_gateway.assembly import Gateway
from auth_gateway.core.letter import MAIL_ENDPOINT
from auth_gateway.core.provider.client import RegisteredClient
from auth_gateway.flows.admission import Admission
from auth_gateway.flows.challenge import CompleteLogin
from auth_gateway.flows.completion import Completion
from auth_gateway.flows.listed_passwords import ListedPasswords
from auth_gateway.flows.login import Login
from auth_gateway.flows.recheck import Recheck
from auth_gateway.flows.recording import Recorder
from auth_gateway.flows.refresh import Refresh
from auth_gateway.flows.ssf.polling import Bell
from auth_gateway.mailing import MAIL_PACE, aftermath, has_mail, mail_receiver
from auth_gateway.policing import Policing, switches
from auth_gateway.readiness import add_parts
from auth_gateway.receivers import endpoints_of, recorder
from auth_gateway.second_factors import mail_code, proving
from auth_gateway.telling import destination_receiver, distributor, is_destination, replayer, retire
from auth_gateway.upkeep import keeping_house, repeat
from auth_gateway.watching import Watching
from auth_gateway.wiring.edge import edge_of
from auth_gateway.wiring.redis import Sharing
from plumbing.tls import LOOK_SECONDS
from webhooks.delivery import DeliveryWorker, Pace, Receiver

DEMO_PACE = Pace(first_retry=0.5, longest_retry=5.0)
# New users arrive with schemes of their own at most this often.
SCHEME_CHECK_SECONDS = 60.0


class Service:
    """The parts that live on the event loop, and the flows that answer requests."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        settings = gateway.settings
        self.watching = watching = Watching(gateway)
        self.sharing = Sharing(gateway, watching)
        self.scorer_tls = settings.scorer_tls()
        tls = self.scorer_tls.context if self.scorer_tls else None
        self.scorer = self._scorer(tls)
        sealed, timed = gateway.users.passwords, watching.metrics.checking_password
        self.passwords = PooledPasswords(gateway.pool, gateway.hasher, gateway.blocklist, sealed=sealed, timed=timed)
        self.floor = RefusalFloor(
            gateway.clock, lambda scheme: wrong_guess_seconds(gateway.hasher, scheme, gateway.clock.monotonic)
        )
        self.throttle = self.sharing.throttle
        self.edge = edge_of(settings, watching.meters)
        self.outbox = gateway.outbox
        self.endpoints = endpoints_of(settings, scorer_tls=tls)
        self.find_receiver: Callable[[str], Receiver | None] = _nobody
        self.more_work: list[Callable[[], Coroutine[Any, Any, None]]] = []
        self.closing: list[Callable[[], Coroutine[Any, Any, None]]] = []
        self.delivery = DeliveryWorker(
            gateway.database,
            self.outbox,
            [*self.endpoints.values(), mail_receiver(gateway)],
            gateway.clock,
            gateway.randomness,
            pace=DEMO_PACE if settings.is_demo else None,
            paces={MAIL_ENDPOINT: MAIL_PACE},
            find=self._found,
            retire=partial(retire, gateway),
            noted=watching.metrics.delivered,
            tracing=watching.tracing,
        )
        self.policing = Policing(gateway)
        add_parts(
            watching.parts,
            gateway=gateway,
            scorer_problem=self.scorer.problem,
            policy_state=self.policing.state,
            delivery=self.delivery,
        )
        self.bell = Bell()
        self.distributor = distributor(gateway, told=self.hand_on)
        self.replayer = replayer(gateway, told=self.delivery.wake)

    def _scorer(self, tls: ssl.SSLContext | None) -> HttpScorer:
        settings, credential = self.gateway.settings, self.gateway.settings.risk_api_credential
        return HttpScorer(
            base_url=settings.risk_api_url,
            credential=credential.get_secret_value() if credential else None,
            deadline_seconds=settings.scorer_deadline_ms / 1000,
            clock=self.gateway.clock,
            watch=self.watching.metrics,
            tracing=self.watching.tracing,
            tls=tls,
            breaker=self.sharing.breaker,
        )

    def login_routes(self) -> LoginRoutes:
        """`/login` and what finishes one."""
        complete = self._complete()
        return LoginRoutes(
            login=self._login(),
            complete=complete,
            mail_code=mail_code(self.gateway, complete),
            registered=self.registered,
            edge=self.edge,
            devices=self._devices(),
            floor=self.floor,
            clock=self.gateway.clock,
            wake_delivery=self.wake,
        )

    def token_routes(self) -> TokenRoutes:
        """`/token`."""
        gateway = self.gateway
        refresh = Refresh(
            database=gateway.database,
            clock=gateway.clock,
            randomness=gateway.randomness,
            pepper=gateway.vault.derive("refresh-successor"),
            issuer=gateway.issuer,
            ending=gateway.ending,
            refresh_tokens=gateway.refresh_tokens,
            recorder=self._recorder(),
            recheck=self._recheck(),
            lines=MemoryLines(),
        )
        return TokenRoutes(
            refresh=refresh,
            registered=self.registered,
            edge=self.edge,
            devices=self._devices(),
            clock=gateway.clock,
            wake_delivery=self.wake,
        )

    def service_routes(self) -> ServiceRoutes:
        """Health, readiness, public keys."""
        signs_itself = self.gateway.settings.hs256_secret is None
        # ID tokens and logout tokens are signed by our own keys even where access tokens are not.
        is_provider = self.gateway.settings.provider_issuer is not None
        return ServiceRoutes(
            parts=self.watching.parts,
            policy_state=self.policing.state,
            published_keys=self.gateway.ring.publish if signs_itself or is_provider else publish_nothing,
        )

    def registered(self, client_id: str, secret_digest: bytes) -> RegisteredClient | None:
        """The registered client with this secret."""
        gateway = self.gateway
        now = gateway.clock.now()
        return gateway.database.read(lambda tx: gateway.clients.authenticate(tx, client_id, secret_digest, now))

    def cover_schemes(self) -> None:
        """Makes the refusal floor fit the hashes that are stored now; slow when there is a new one."""
        gateway = self.gateway
        names = gateway.database.read(gateway.users.schemes)
        found = [scheme for scheme in map(scheme_named, names) if scheme is not None]
        self.floor.cover([gateway.hasher.default_scheme, *found])
        some = [(scheme_named(name), people) for name, people in gateway.database.read(gateway.users.some_schemes)]
        self.passwords.imitate([(scheme, people) for scheme, people in some if scheme is not None])

    def wake(self) -> None:
        """Something was written that may have to be told: look at once."""
        self.distributor.wake()
        self.delivery.wake()

    def hand_on(self) -> None:
        """Something waits for those who are told, or who ask."""
        self.delivery.wake()
        self.bell.ring()

    def background(self) -> list[Coroutine[Any, Any, None]]:
        """What runs as long as the service does."""
        names = [asyncio.to_thread(browser_names.prepare)] if has_mail(self.gateway.settings) else []
        return [
            *names,
            self.delivery.run(),
            self.distributor.run(),
            self.replayer.run(),
            self.watching.run(),
            repeat(RELOAD_SECONDS, self.gateway.ring.reload),
            repeat(RELOAD_SECONDS, lambda: asyncio.to_thread(self.gateway.vault.reload)),
            repeat(SCHEME_CHECK_SECONDS, lambda: asyncio.to_thread(self.cover_schemes)),
            *keeping_house(self.gateway),
            *([repeat(LOOK_SECONDS, partial(asyncio.to_thread, self.scorer_tls.follow))] if self.scorer_tls else []),
            *self.policing.background(),
            *(begin() for begin in (*self.sharing.background, *self.more_work)),
        ]

    async def close(self) -> None:
        """Lets go of the connections and the storage, once no request is left."""
        for close in (self.scorer.close, *self.closing):
            await close()
        await self.sharing.close()
        await asyncio.to_thread(self.gateway.close)

    def _found(self, name: str) -> Receiver | None:
        """A receiver that is not in the settings: a destination of events, or one that the provider knows."""
        return destination_receiver(self.gateway, name) if is_destination(name) else self.find_receiver(name)

    def _login(self) -> Login:
        gateway = self.gateway
        return Login(
            database=gateway.database,
            clock=gateway.clock,
            randomness=gateway.randomness,
            throttle=self.throttle,
            passwords=self.passwords,
            users=gateway.users,
            recorder=self._recorder(),
            admission=self._admission(),
            unknown_names=Allowance(),
            names_key=gateway.vault.derive("unknown-names"),
        )

    def _admission(self) -> Admission:
        gateway = self.gateway
        return Admission(
            database=gateway.database,
            randomness=gateway.randomness,
            scorer=self.scorer,
            users=gateway.users,
            pending_logins=gateway.pending_logins,
            issuer=gateway.issuer,
            recorder=self._recorder(),
            trusted_devices=StoredTrustedDevices(),
            throttle=self.throttle,
            lines=MemoryLines(),
            policy=switches(gateway.settings),
            listed_passwords=ListedPasswords(
                randomness=gateway.randomness,
                users=gateway.users,
                recorder=self._recorder(),
                post_office=gateway.post_office,
            ),
            matches_numbers=gateway.settings.mfa_number_matching,
            aftermath=aftermath(gateway),
            in_force=self.policing.in_force,
            timed=self.watching.metrics.judging,
        )

    def _complete(self) -> CompleteLogin:
        gateway = self.gateway
        return CompleteLogin(
            database=gateway.database,
            clock=gateway.clock,
            randomness=gateway.randomness,
            throttle=self.throttle,
            users=gateway.users,
            pending_logins=gateway.pending_logins,
            proving=proving(gateway),
            policy=switches(gateway.settings),
            recorder=self._recorder(),
            completion=Completion(
                database=gateway.database,
                randomness=gateway.randomness,
                users=gateway.users,
                issuer=gateway.issuer,
                recorder=self._recorder(),
                recheck=self._recheck(),
                aftermath=aftermath(gateway),
            ),
        )

    def _recheck(self) -> Recheck:
        reuse_seconds = self.gateway.settings.refresh_score_reuse_seconds
        recent = MemoryRulings(reuse_seconds=reuse_seconds)
        return Recheck(
            scorer=self.scorer,
            policy=switches(self.gateway.settings),
            recent=recent,
            in_force=self.policing.in_force,
        )

    def _devices(self) -> DeviceCookie:
        return DeviceCookie(is_https=self.gateway.settings.is_https, randomness=self.gateway.randomness)

    def _recorder(self) -> Recorder:
        return recorder(self.gateway)


def _nobody(_name: str) -> None:
    """Without a provider nobody but those in the settings is told anything."""
