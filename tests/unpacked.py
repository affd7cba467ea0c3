"""Where the bundled tables of addresses are unpacked, once a checkout, for every scorer that a test starts: to unpack
them takes as long as all else that a scorer does before it is ready. How it is done is held to account by tests of its
own.
"""

from pathlib import Path

from risk_scorer.adapters.ip_facts import DEFAULT_CACHE

GEO_CACHE = Path(__file__).resolve().parents[1] / DEFAULT_CACHE
"""Training puts them there already; of several who come first one unpacks and the others wait."""
