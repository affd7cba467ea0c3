"""Techniques of MITRE ATT&CK by their ids, and which of them the reason of a risky login may be a sign of.

One catalogue for both services: what a SIEM hears of the gateway and what the scorer's console shows. A sign is no
proof. Source: ATT&CK for Enterprise, v15.1; of a technique that serves several tactics we name the one that it serves
where we see it.
"""

from typing import Final

import msgspec

VERSION: Final = "15.1"
FRAMEWORK: Final = "MITRE ATT&CK"


class Tactic(msgspec.Struct, frozen=True):
    """What an attacker is after."""

    id: str
    name: str


class Technique(msgspec.Struct, frozen=True):
    """How an attacker goes about it."""

    id: str
    name: str
    tactic: Tactic

    @property
    def parent_id(self) -> str:
        """The technique that a sub-technique belongs to; its own id where it is none."""
        return self.id.partition(".")[0]

    @property
    def url(self) -> str:
        """Its page."""
        return f"https://attack.mitre.org/techniques/{self.id.replace('.', '/')}"


CREDENTIAL_ACCESS: Final = Tactic("TA0006", "Credential Access")
INITIAL_ACCESS: Final = Tactic("TA0001", "Initial Access")
PERSISTENCE: Final = Tactic("TA0003", "Persistence")
DISCOVERY: Final = Tactic("TA0007", "Discovery")
LATERAL_MOVEMENT: Final = Tactic("TA0008", "Lateral Movement")
COLLECTION: Final = Tactic("TA0009", "Collection")
EXFILTRATION: Final = Tactic("TA0010", "Exfiltration")
COMMAND_AND_CONTROL: Final = Tactic("TA0011", "Command and Control")

BRUTE_FORCE, GUESSING, SPRAYING = "T1110", "T1110.001", "T1110.003"
VALID_ACCOUNTS, STOLEN_SESSION, STOLEN_TOKEN = "T1078", "T1539", "T1528"
PROMPT_BOMBING, MULTI_HOP_PROXY = "T1621", "T1090.003"
PROXY = "T1090"
ACCOUNT_MANIPULATION, SERVICE_DISCOVERY, REMOTE_SERVICES = "T1098", "T1526", "T1021"
AUTOMATED_COLLECTION, REPOSITORIES, AUTOMATED_EXFILTRATION = "T1119", "T1213", "T1020"

TECHNIQUES: Final[dict[str, Technique]] = {
    each.id: each
    for each in (
        Technique(BRUTE_FORCE, "Brute Force", CREDENTIAL_ACCESS),
        Technique(GUESSING, "Password Guessing", CREDENTIAL_ACCESS),
        Technique(SPRAYING, "Password Spraying", CREDENTIAL_ACCESS),
        Technique(VALID_ACCOUNTS, "Valid Accounts", INITIAL_ACCESS),
        Technique(STOLEN_SESSION, "Steal Web Session Cookie", CREDENTIAL_ACCESS),
        Technique(STOLEN_TOKEN, "Steal Application Access Token", CREDENTIAL_ACCESS),
        Technique(PROMPT_BOMBING, "Multi-Factor Authentication Request Generation", CREDENTIAL_ACCESS),
        Technique(PROXY, "Proxy", COMMAND_AND_CONTROL),
        Technique(MULTI_HOP_PROXY, "Multi-hop Proxy", COMMAND_AND_CONTROL),
        Technique(ACCOUNT_MANIPULATION, "Account Manipulation", PERSISTENCE),
        Technique(SERVICE_DISCOVERY, "Cloud Service Discovery", DISCOVERY),
        Technique(REMOTE_SERVICES, "Remote Services", LATERAL_MOVEMENT),
        Technique(AUTOMATED_COLLECTION, "Automated Collection", COLLECTION),
        Technique(REPOSITORIES, "Data from Information Repositories", COLLECTION),
        Technique(AUTOMATED_EXFILTRATION, "Automated Exfiltration", EXFILTRATION),
    )
}

BY_REASON: Final = {
    "stuffing_in_progress": SPRAYING,
    "account_under_attack": GUESSING,
    "confirmed_attacker": VALID_ACCOUNTS,
    "session_client_changed": STOLEN_SESSION,
    "session_network_changed": STOLEN_SESSION,
    "tor_exit": MULTI_HOP_PROXY,
}
"""By a reason's code, where the score is not a low one."""
OF_RISKY_LOGIN: Final = VALID_ACCOUNTS
"""What a login that was scored as risky may be a sign of, whatever its reasons: its password was right."""

BY_SIGNAL: Final = {
    "another_client_elsewhere": STOLEN_SESSION,
    "another_client": STOLEN_SESSION,
    "two_places_at_once": STOLEN_SESSION,
    "woke_elsewhere": STOLEN_SESSION,
    "rights_grew": ACCOUNT_MANIPULATION,
    "new_rights_used": ACCOUNT_MANIPULATION,
    "rights_creep": ACCOUNT_MANIPULATION,
    "run_of_refusals": SERVICE_DISCOVERY,
    "new_service": SERVICE_DISCOVERY,
    "service_pivot": REMOTE_SERVICES,
    "ids_in_sequence": REPOSITORIES,
    "many_objects": REPOSITORIES,
    "traffic_burst": AUTOMATED_COLLECTION,
    "traffic_run": AUTOMATED_COLLECTION,
    "machine_rhythm": AUTOMATED_COLLECTION,
    "volume": AUTOMATED_EXFILTRATION,
    "shared_device": VALID_ACCOUNTS,
    "shared_address": VALID_ACCOUNTS,
    "many_devices": VALID_ACCOUNTS,
}
"""By a signal's code, where the risk of the session that has it is not a low one."""
OF_RISKY_SESSION: Final = STOLEN_SESSION
"""What a risky session may be a sign of, whatever was found in it: its login was let in."""
