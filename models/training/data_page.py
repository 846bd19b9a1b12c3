"""Rewrites DATA.md, the list of all pictures with author and licence, from pictures.tsv: `python data_page.py`."""

from pathlib import Path

from data import RENDERS
from fetch import pictures

HEAD = """# Pictures

<!-- Written by data_page.py from pictures.tsv. -->

Every picture comes inside a Debian 12 package (`apt-get download`, unpacked, not installed) or a Python wheel, under
the licence that the package's copyright file, its metadata or its documentation states for it. None of them is in this
repository, except those from which `samples/` is made. `fetch.py` downloads them and checks each one's SHA-256.

- **held-out**: whole photographs for measuring only. Nothing of them, at any scale, is trained on.
- **sample**: shown in `samples/`, neither trained on nor measured.
- **train**: photographs and drawn wallpapers ("graphic"). To them come {renders} procedural renders (`renders.py`:
  ramps, noise fields, shapes, lettering, depth of field), which have no source but their seed.

How often a training crop comes from each kind is `KIND_WEIGHTS` in `data.py`.
"""


def main() -> None:
    lines = [HEAD.format(renders=RENDERS)]
    for split in ("held-out", "sample", "train"):
        lines.append(
            f"\n## {split}\n\n| kind | package | picture | author | licence |\n| --- | --- | --- | --- | --- |\n"
        )
        for p in pictures():
            if p.split == split:
                lines.append(f"| {p.kind} | {p.package} | `{p.path}` | {p.author} | {p.licence} |\n")
    Path(__file__).with_name("DATA.md").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
