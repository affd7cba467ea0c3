"""Every detector there is, in the order in which they are told. Append only: memories are keyed by their names."""

from risk_scorer.core.activity.detector import Detector
from risk_scorer.core.activity.detectors.account_probe import AccountProbe
from risk_scorer.core.activity.detectors.endpoint_skew import EndpointSkew
from risk_scorer.core.activity.detectors.hours import Hours
from risk_scorer.core.activity.detectors.new_service import NewService
from risk_scorer.core.activity.detectors.object_enumeration import ObjectEnumeration
from risk_scorer.core.activity.detectors.privilege_creep import PrivilegeCreep
from risk_scorer.core.activity.detectors.privilege_escalation import PrivilegeEscalation
from risk_scorer.core.activity.detectors.relations import Relations
from risk_scorer.core.activity.detectors.replayed_token import ReplayedToken
from risk_scorer.core.activity.detectors.rhythm import Rhythm
from risk_scorer.core.activity.detectors.sequence import Sequence
from risk_scorer.core.activity.detectors.service_pivot import ServicePivot
from risk_scorer.core.activity.detectors.several_actors import SeveralActors
from risk_scorer.core.activity.detectors.timing import Timing
from risk_scorer.core.activity.detectors.traffic import Traffic
from risk_scorer.core.activity.detectors.volume import Volume

ALL: tuple[Detector, ...] = (
    Traffic(),
    EndpointSkew(),
    Sequence(),
    Timing(),
    Rhythm(),
    Volume(),
    Hours(),
    SeveralActors(),
    ReplayedToken(),
    PrivilegeEscalation(),
    PrivilegeCreep(),
    NewService(),
    ServicePivot(),
    AccountProbe(),
    ObjectEnumeration(),
    Relations(),
)
