"""Small address databases, made on the spot: the published ones are too large to be test data."""

import ipaddress
import shutil
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from risk_scorer.adapters.ip_table_upkeep import build

MARKER = b"\xab\xcd\xefMaxMind.com"
RECORD_BITS = 32
BUILT = 1_780_617_600  # 2026-06-05


def spot(country: str, region: str, city: str, latitude: float, longitude: float) -> dict[str, Any]:
    """A record as ip-location-db writes it."""
    return {"country_code": country, "state1": region, "city": city, "latitude": latitude, "longitude": longitude}


CITIES = {
    "1.0.0.0/24": spot("AU", "Queensland", "Brisbane", -27.47, 153.03),
    "1.0.1.0/24": spot("AU", "Queensland", "Brisbane", -27.47, 153.03),
    "1.0.2.0/23": spot("CN", "Fujian", "Fuzhou", 26.06, 119.3),
    "81.2.69.160/27": spot("GB", "England", "London", 51.5142, -0.0931),
    "255.255.255.255/32": spot("ZZ", "", "Last", 0.0, 0.0),
}
CITIES_6 = {
    "2a02:8206:3933::/48": spot("DE", "NRW", "Borgholzhausen", 52.1, 8.3),
    "2a02:8206:3934:8000::/49": spot("DE", "NRW", "Halle", 52.06, 8.36),
    "2a02:8206:3935:1:8000::/65": spot("DE", "NRW", "Half", 52.0, 8.0),
}
OPERATORS = """1.0.0.0,1.0.0.255,13335,"Cloudflare, Inc."
1.0.2.0,1.0.3.255,4134,Chinanet
81.2.69.0,81.2.69.255,20712,Andrews & Arnold Ltd
"""
OPERATORS_6 = "2a02:8206::,2a02:8206:ffff:ffff:ffff:ffff:ffff:ffff,8881,1&1 Versatel\n"


def value(item: Any) -> bytes:
    """One value of the MaxMind DB data section. Source: MaxMind DB file format 2.0, "Output Data Section"."""
    if isinstance(item, float):
        return bytes([3 << 5 | 8]) + struct.pack(">d", item)
    if isinstance(item, str):
        text = item.encode()
        lead = bytes([2 << 5 | len(text)]) if len(text) < 29 else bytes([2 << 5 | 29, len(text) - 29])
        return lead + text
    if isinstance(item, np.uint16):
        return bytes([5 << 5 | 2]) + struct.pack(">H", item)
    if isinstance(item, np.uint64):
        return bytes([8, 2]) + struct.pack(">Q", item)
    if isinstance(item, int):
        return bytes([6 << 5 | 4]) + struct.pack(">I", item)
    if isinstance(item, list):
        return bytes([len(item), 4]) + b"".join(map(value, item))
    return bytes([7 << 5 | len(item)]) + b"".join(value(key) + value(part) for key, part in item.items())


def mmdb(networks: Mapping[str, Any], *, version: int, database_type: str, epoch: int) -> bytes:
    """A MaxMind DB of these networks, which must not overlap."""
    nodes: list[list[int | None]] = [[None, None]]
    data = bytearray()
    leaves: list[tuple[int, int, int]] = []
    for text, record in networks.items():
        network, node = ipaddress.ip_network(text), 0
        bits = format(int(network.network_address), f"0{network.max_prefixlen}b")[: network.prefixlen]
        for bit in bits[:-1]:
            if nodes[node][int(bit)] is None:
                nodes[node][int(bit)] = len(nodes)
                nodes.append([None, None])
            node = nodes[node][int(bit)] or 0
        leaves.append((node, int(bits[-1]), len(data)))
        data += value(record)
    count = len(nodes)
    for node, bit, offset in leaves:
        nodes[node][bit] = count + 16 + offset
    tree = b"".join(struct.pack(">II", *(count if side is None else side for side in node)) for node in nodes)
    about = {
        "binary_format_major_version": np.uint16(2), "binary_format_minor_version": np.uint16(0),
        "build_epoch": np.uint64(epoch), "database_type": database_type, "description": {},
        "ip_version": np.uint16(version), "languages": [], "node_count": count, "record_size": np.uint16(RECORD_BITS),
    }  # fmt: skip
    return tree + bytes(16) + bytes(data) + MARKER + value(about)


@pytest.fixture
def write_mmdb(tmp_path: Path) -> Callable[..., Path]:
    """Write networks with their records as an .mmdb file of that name."""

    def write(
        name: str, networks: Mapping[str, Any], *, version: int = 4, kind: str = "City", epoch: int = BUILT
    ) -> Path:
        path = tmp_path / name
        path.write_bytes(mmdb(networks, version=version, database_type=kind, epoch=epoch))
        return path

    return write


@pytest.fixture(scope="session")
def mini_sources(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Directories with a city database and an operator list, as the packages hold them. Nobody writes here."""
    city, asn = tmp_path_factory.mktemp("city"), tmp_path_factory.mktemp("asn")
    (city / "city-ipv4.mmdb").write_bytes(mmdb(CITIES, version=4, database_type="City", epoch=BUILT))
    (city / "city-ipv6.mmdb").write_bytes(mmdb(CITIES_6, version=6, database_type="City", epoch=BUILT))
    (city / "package.json").write_text('{"version": "2.3.2026060513"}')
    (asn / "asn-ipv4.csv").write_text(OPERATORS)
    (asn / "asn-ipv6.csv").write_text(OPERATORS_6)
    (asn / "package.json").write_text('{"version": "2.3.2026061719"}')
    return city, asn


@pytest.fixture(scope="session")
def built_once(tmp_path_factory: pytest.TempPathFactory, mini_sources: tuple[Path, Path]) -> Path:
    city, asn = mini_sources
    return build(tmp_path_factory.mktemp("tables"), city=city, asn=asn, progress=lambda _: None)


@pytest.fixture
def mini_tables(tmp_path: Path, built_once: Path) -> Path:
    """A directory of the test's own with tables built from the small databases."""
    directory = tmp_path / "tables"
    directory.mkdir()
    shutil.copy(built_once, directory)
    return directory
