"""The terms that evidence is added up from, in the one order that every array of evidence and points has."""

from risk_scorer.core.rules import RULES
from risk_scorer.core.signals import LEVELS

UNUSUAL = "unusual_combination"
TERMS = (UNUSUAL, *LEVELS, *RULES)
"""The forest, then a level of the likelihood each, then the rules."""
