"""Repack the training crops into parts that can travel: python3 -m training.pack [--out out/pack].

The bytes inside stay the JPEGs they are. Order of the parts: first the groups with broad terms (cam, wall, screen and
the buddha crops, renamed to group `buddha`), then the rest, so that the first parts alone are a whole training set.
One source picture in 24 is held for validation, with every crop of it, so that no held scene is trained on.
"""
from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
import tarfile
from collections import Counter
from pathlib import Path

BROAD = ("cam", "wall", "screen", "buddha")
PART_BYTES = 12_600_000   # so that two parts and the repository travel in one call of 64 MiB
HELD_ONE_IN = 24
HELD_BYTES = 2_600_000


def held(source: str) -> bool:
    """Whether every crop of this source picture is kept from training."""
    return int.from_bytes(hashlib.sha256(source.encode()).digest()[:4], "big") % HELD_ONE_IN == 0


def read_manifest(path: Path) -> dict[str, tuple[str, str]]:
    """file -> (group, source picture)."""
    with open(path, newline="") as handle:
        rows = [row for row in csv.DictReader(handle, delimiter="\t") if row.get("group")]
    out = {}
    for row in rows:
        group = "buddha" if "dataset_buddha" in row["source_repo"] else row["group"]
        out[row["file"]] = (group, f"{row['source_repo']}/{row['source_file']}")
    return out


def write_tar(path: Path, members: list[tuple[str, bytes]]) -> None:
    """A plain tar without dates or owners, so that equal pictures give equal bytes."""
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/train"), help="folder of the tars and MANIFEST.tsv")
    parser.add_argument("--out", type=Path, default=Path("out/pack"))
    args = parser.parse_args()
    manifest = read_manifest(args.data / "MANIFEST.tsv")
    pictures: list[tuple[str, str, bytes]] = []
    for path in sorted(args.data.glob("*.tar")):
        with tarfile.open(path) as tar:
            for member in tar:
                handle = tar.extractfile(member)
                if handle and member.name in manifest:
                    group, source = manifest[member.name]
                    pictures.append((f"{group}/{member.name}", source, handle.read()))
    pictures.sort(key=lambda item: hashlib.sha256(item[0].encode()).digest())
    args.out.mkdir(parents=True, exist_ok=True)
    held_members = [(name, data) for name, source, data in pictures if held(source)]
    size, kept = 0, []
    for name, data in held_members:
        if size + len(data) <= HELD_BYTES:
            kept.append((name, data))
            size += len(data)
    write_tar(args.out / "held.tar", kept)
    summary: dict[str, object] = {"held": Counter(name.split("/")[0] for name, _ in kept)}
    for label, wanted in (("broad", True), ("rest", False)):
        train = [(n, d) for n, source, d in pictures if not held(source) and (n.split("/")[0] in BROAD) == wanted]
        count = -(-sum(len(d) + 1024 for _, d in train) // PART_BYTES)
        for index in range(count):
            members = train[index::count]
            name = f"{label}_{index}.tar"
            write_tar(args.out / name, members)
            summary[name] = {"bytes": (args.out / name).stat().st_size, "groups": Counter(n.split("/")[0] for n, _ in members)}
    (args.out / "summary.json").write_text(json.dumps(summary, indent=1))
    print(json.dumps(summary, indent=1))


if __name__ == "__main__":
    main()
