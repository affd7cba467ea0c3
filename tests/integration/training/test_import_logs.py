"""`risk-training import` on real and simulated logs of the RBA data set's schema.

The bundled file has the dirt of the real one. Where the shared data lies beside the checkout, it is read as well.
"""

import json
from pathlib import Path

import pytest
from pyarrow import parquet
from typer.testing import CliRunner

from training.cli import app

ROOT = Path(__file__).resolve().parents[3]
BUNDLED = ROOT / "tests" / "data" / "rba_minutes_only.csv"
SHARED = ROOT.parent / "shared" / "rba"
EXPECTED = {
    BUNDLED: {"rows_in_file": 11, "rows": 5},
    SHARED / "rba_slice_first2000.csv": {"rows_in_file": 2000, "rows": 2000},
    SHARED / "simulated_logins_dev.parquet": {"rows_in_file": 256_423, "rows": 256_423},
}
LOGS = [path for path in EXPECTED if path.is_file()]


@pytest.mark.parametrize("log", LOGS, ids=lambda path: path.name)
def test_import_tells_what_it_read(log: Path, tmp_path: Path) -> None:
    """Rows kept and dropped add up, and the written file holds the kept ones in order of time."""
    out = tmp_path / "log.parquet"
    result = CliRunner().invoke(app, ["import", "--input", str(log), "--out", str(out), "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert {name: told[name] for name in EXPECTED[log]} == EXPECTED[log]
    assert told["rows"] + sum(told["dropped"].values()) == told["rows_in_file"]
    moments = parquet.read_table(out)["timestamp"].to_pylist()
    assert len(moments) == told["rows"]
    assert moments == sorted(moments)


@pytest.mark.parametrize("log", LOGS, ids=lambda path: path.name)
def test_no_label_reaches_the_imported_log(log: Path, tmp_path: Path) -> None:
    """What training could learn an answer from is not in the file it gets."""
    out = tmp_path / "log.parquet"
    CliRunner().invoke(app, ["import", "--input", str(log), "--out", str(out)])
    columns = {name.casefold() for name in parquet.read_schema(out).names}
    assert columns.isdisjoint({"label", "attack", "is attack ip", "is account takeover"})
