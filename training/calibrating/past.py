"""What was calibrated before: the signed lines beside the key, and the model's own account of itself."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from risk_scorer.adapters.model_store import public_keys
from training.calibrating import history
from training.calibrating.reading import opened_at
from training.reports import iso


def calibrations(model_dir: Path, public_key: Path, key: Path) -> dict[str, Any]:
    """What was calibrated until now, the oldest first: the lines beside the key, and the model's own account.

    Raises WrongInputError.
    """
    model = opened_at(model_dir, public_key)[1]
    told = history.lines(key.with_name(history.FILE), public_keys([str(public_key)])[0])
    return {
        "model_version": model.version,
        "in_model": [
            {"of": change.of, "data": change.data, "first": iso(change.span.first), "last": iso(change.span.last)}
            for change in model.manifest.calibrations
        ],
        "history": [
            {
                "at": line.at,
                "by": line.by,
                "reason": line.reason,
                "model_version": line.model_version,
                "of": line.of,
                "first": iso(line.first),
                "last": iso(line.last),
                "data": line.data,
                "step_up": _change(line, "step_up"),
                "deny": _change(line, "deny"),
                "is_signed": is_signed,
            }
            for line, is_signed in told
        ],
    }


def _change(line: history.Line, name: str) -> dict[str, Any]:
    before, after = line.before[name], line.after[name]
    return {
        "budget": after.budget,
        "evidence_before": before.evidence,
        "evidence_after": after.evidence,
        "prompted_before": before.prompted,
        "prompted_after": after.prompted,
        "logins": after.logins,
    }


def past_lines(told: Mapping[str, Any]) -> Iterator[str]:
    """The same for people, one calibration a line."""
    if not told["history"]:
        yield "nothing was calibrated yet with this key"
    for line in told["history"]:
        step_up, deny = line["step_up"], line["deny"]
        yield (
            f"{line['at']} {line['by']}: {line['of']} -> {line['model_version']}, "
            f"asked {step_up['prompted_before']:,} -> {step_up['prompted_after']:,}, denied "
            f"{deny['prompted_before']:,} -> {deny['prompted_after']:,} of {step_up['logins']:,} logins"
            f"{'; ' + line['reason'] if line['reason'] else ''}"
            f"{'' if line['is_signed'] else ' (NOT signed by this key)'}"
        )
