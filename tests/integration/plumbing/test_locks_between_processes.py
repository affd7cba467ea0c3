"""A command that opens and closes the database beside a running service leaves the service's view whole."""

import subprocess
import sys
from pathlib import Path
from threading import Thread

from sqlalchemy import Column, Integer, MetaData, Table, func, insert, select

from plumbing.database import Database
from plumbing.statements import Statement

metadata = MetaData()
notes = Table("notes", metadata, Column("id", Integer, primary_key=True))
ADD = Statement(insert(notes))
COUNT = Statement(select(func.count()).select_from(notes))
VISITOR = """
import sys
from pathlib import Path
from plumbing.connections import connect
connection = connect(Path(sys.argv[1]))
connection.execute("INSERT INTO notes VALUES (1000)")
connection.close()
"""


def test_a_visitor_that_leaves_does_not_take_the_log_along(tmp_path: Path, root: Path) -> None:
    """Our locks outlive new connections of our own, so a visiting process never believes itself the last one."""
    file = tmp_path / "service.db"
    database = Database.open(f"sqlite:///{file}", metadata=metadata)
    metadata.create_all(database.engine)
    database.write_sync(lambda tx: tx.run(ADD, id=1))
    for _ in range(2):  # connections that open and close in this process, as a request on a new thread does
        reader = Thread(target=lambda: database.read(lambda tx: tx.one(COUNT)))
        reader.start()
        reader.join()
    subprocess.run([sys.executable, "-c", VISITOR, str(file)], cwd=root, check=True)
    assert file.with_name("service.db-wal").exists()
    database.write_sync(lambda tx: tx.run(ADD, id=2))
    assert database.read(lambda tx: tx.one(COUNT)) == (3,)
    database.close()
