"""Every detector there is, in the order in which they are told. Append only: memories are keyed by their names."""

from risk_scorer.core.activity.detector import Detector

ALL: tuple[Detector, ...] = ()
