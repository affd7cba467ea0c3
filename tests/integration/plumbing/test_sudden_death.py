"""A process is killed in the middle of its work: whatever it was told is written, is written."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import MetaData

from plumbing.database import Database

WORK = """
import asyncio, os, sys
from sqlalchemy import Column, MetaData, Table, Text, insert
from plumbing.database import Database
from plumbing.statements import Statement

metadata = MetaData()
coins = Table("coins", metadata, Column("id", Text, primary_key=True), Column("twin", Text))
add = Statement(insert(coins))

async def main():
    database = Database.open(sys.argv[1], metadata=metadata)
    metadata.create_all(database.engine)

    async def caller(name):
        for i in range(1_000_000):
            coin = f"{name}-{i}"

            def job(tx, coin=coin):
                tx.run(add, id=coin, twin=None)
                tx.run(add, id=coin + "-twin", twin=coin)

            await database.write(job)
            os.write(1, (coin + "\\n").encode())

    await asyncio.gather(*(caller(n) for n in range(32)))

asyncio.run(main())
"""


def coins(url: str) -> set[str]:
    """What is there, in a database that is whole."""
    database = Database.open(url, metadata=MetaData())
    with database.engine.connect() as connection:
        if url.startswith("sqlite"):
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        found = {row[0] for row in connection.exec_driver_sql("SELECT id FROM coins")}
    database.close()
    return found


@pytest.mark.parametrize("after_acknowledgements", [1, 500, 3_000])
def test_what_a_write_returned_survives_a_kill(database_url: str, root: Path, after_acknowledgements: int) -> None:
    """Every acknowledged transaction is there after SIGKILL, whole; none is there by half."""
    process = subprocess.Popen([sys.executable, "-c", WORK, database_url], cwd=root, stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process, process.stdout as said:
        acknowledged = [said.readline().strip().decode() for _ in range(after_acknowledgements)]
        os.kill(process.pid, signal.SIGKILL)
        # A line that the kill cut in two acknowledges nothing.
        acknowledged += [
            line.strip().decode() for line in said.read().splitlines(keepends=True) if line.endswith(b"\n")
        ]
    assert process.returncode == -signal.SIGKILL
    found = coins(database_url)
    assert len(acknowledged) >= after_acknowledgements
    assert set(acknowledged) <= found
    assert {coin for coin in found if not coin.endswith("-twin")} == {
        coin[:-5] for coin in found if coin.endswith("-twin")
    }
