"""Installs a released breakglass, after checking that it is the one that was released."""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

TARGETS = {
    ("Linux", "X64"): "x86_64-unknown-linux-musl",
    ("Linux", "ARM64"): "aarch64-unknown-linux-musl",
    ("macOS", "ARM64"): "aarch64-apple-darwin",
}
TRIES = 4
# Ten times what an archive is; whoever answers must not fill the runner.
MOST = 200 * 1024 * 1024


class NotInstalled(Exception):
    """There is no binary that may be run."""


def fetch(url: str) -> bytes:
    """Downloads a file."""
    for attempt in range(TRIES):
        try:
            with urllib.request.urlopen(url, timeout=60) as answer:
                content = answer.read(MOST + 1)
            if len(content) > MOST:
                raise NotInstalled(f"{url} is larger than any release")
            return content
        except OSError as error:
            lasting = isinstance(error, urllib.error.HTTPError) and error.code < 500 and error.code != 429
            if lasting or attempt + 1 == TRIES:
                raise NotInstalled(f"failed to download {url}: {error}") from None
            time.sleep(2**attempt)
    raise AssertionError("the last try raises or returns")


def version_of_the_action() -> str:
    """Reads the version that this copy of the action belongs to."""
    manifest = (Path(__file__).parent.parent / "Cargo.toml").read_text(encoding="utf-8")
    return re.search(r'^version = "([^"]+)"', manifest, re.MULTILINE).group(1)


def target() -> str:
    """Names what the runner runs."""
    runner = (os.environ.get("RUNNER_OS", ""), os.environ.get("RUNNER_ARCH", ""))
    if runner not in TARGETS:
        raise NotInstalled(f"there is no release for {' '.join(runner)}; build one and name it in the input binary")
    return TARGETS[runner]


def check_sums(sums: str, archive: str, digest: str) -> None:
    """Compares an archive with the list of checksums of its release."""
    for line in sums.splitlines():
        listed, _, name = line.partition("  ")
        if name == archive:
            if listed != digest:
                raise NotInstalled(f"{archive} has the checksum {digest}, and SHA256SUMS says {listed}")
            return
    raise NotInstalled(f"SHA256SUMS of the release does not list {archive}")


def check_provenance(path: Path, releases: str) -> None:
    """Has GitHub's own tool check that the project's release workflow built an archive."""
    found = re.fullmatch(r"https://github\.com/([\w.-]+/[\w.-]+)/releases/download", releases)
    if not found:
        raise NotInstalled(f"who built what {releases} holds can't be checked; give the checksum in the input sha256")
    if not shutil.which("gh"):
        raise NotInstalled("who built the release can't be checked without gh; give its checksum in the input sha256")
    repository = found.group(1)
    workflow = f"{repository}/.github/workflows/release.yml"
    command = ["gh", "attestation", "verify", str(path), "--repo", repository, "--signer-workflow", workflow]
    environment = {**os.environ, "GH_TOKEN": os.environ.get("INPUT_TOKEN", "")}
    ended = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", errors="replace")
    if ended.returncode != 0:
        raise NotInstalled(f"gh does not attest that {workflow} built {path.name}: {ended.stderr.strip()}")


def unpack(content: bytes, folder: Path) -> Path:
    """Takes the binary out of an archive, and nothing else."""
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        for member in archive:
            if member.isfile() and member.name.split("/")[-1] == "breakglass" and member.size <= MOST:
                binary = folder / "breakglass"
                binary.write_bytes(archive.extractfile(member).read())
                binary.chmod(0o755)
                return binary
    raise NotInstalled("the archive holds no breakglass")


def install() -> Path:
    """Downloads, checks and unpacks the release that the inputs name."""
    version = os.environ.get("INPUT_VERSION", "").strip().removeprefix("v") or version_of_the_action()
    if not re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?", version):
        raise NotInstalled(f"the input version is {version!r}; it must look like 1.2.3")
    releases = os.environ.get("INPUT_RELEASES", "").strip().rstrip("/")
    name = f"breakglass-{version}-{target()}.tar.gz"
    content = fetch(f"{releases}/v{version}/{name}")
    folder = Path(tempfile.mkdtemp(prefix="breakglass-", dir=os.environ.get("RUNNER_TEMP")))
    archive = folder / name
    archive.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    expected = os.environ.get("INPUT_SHA256", "").strip().lower()
    if expected:
        if expected != digest:
            raise NotInstalled(f"{name} has the checksum {digest}, not the one in the input sha256, {expected}")
    else:
        check_sums(fetch(f"{releases}/v{version}/SHA256SUMS").decode(), name, digest)
        check_provenance(archive, releases)
    return unpack(content, folder)


def main() -> int:
    """Installs it and names it to the steps that follow."""
    try:
        binary = install()
    except (NotInstalled, OSError, ValueError, tarfile.TarError) as error:
        message = str(error).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        print(f"::error title=breakglass is not installed::{message}")
        return 1
    with open(os.environ["GITHUB_OUTPUT"], "a", encoding="utf-8") as file:
        file.write(f"binary={binary}\n")
    print(f"installed {binary}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
