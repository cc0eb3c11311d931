# SPDX-License-Identifier: MIT
"""A newer Python for the tests: the machine's own, or that of Debian's next release, unpacked into build/ beside its
C library. Nothing is installed."""
import os
import pathlib
import shutil
import subprocess

from lib import Skip, top

PACKAGES = ("python{0}-minimal libpython{0}-minimal libpython{0}-stdlib libc6 libexpat1 zlib1g libssl3t64 libffi8 "
            "libbz2-1.0 liblzma5 libzstd1 libuuid1").split()


def fetch(version, folder):
    """Unpack the packages into @folder/unpacked, by the ordinary apt with lists of its own."""
    uris = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)"], capture_output=True, text=True).stdout
    uri = next((u for u in uris.split() if u.rstrip("/").endswith("/debian")), None)
    if not uri:
        raise Skip(f"no Python {version} here, and no Debian to have it from")
    for name in ("lists/partial", "cache/archives/partial", "unpacked"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "sources").write_text(f"deb {uri} sid main\n")
    apt = ["apt-get", "-q", "-o", f"Dir::Etc::sourcelist={folder}/sources", "-o", "Dir::Etc::sourceparts=/dev/null",
           "-o", f"Dir::State::lists={folder}/lists", "-o", f"Dir::Cache={folder}/cache",
           "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=2"]
    for command in (["update"], ["download", *(p.format(version) for p in PACKAGES)]):
        if subprocess.run(apt + command, cwd=folder, capture_output=True, timeout=180).returncode:
            raise Skip(f"no Python {version} here, and it cannot be had by apt")
    for package in folder.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", package, folder / "unpacked"], check=True)
    # make looks for *.d below build/
    for spare in ("lists", "cache", "unpacked/etc", "unpacked/usr/share", "unpacked/usr/lib/binfmt.d"):
        shutil.rmtree(folder / spare, ignore_errors=True)


def debian_python(version):
    """A program that is CPython @version ("3.14")."""
    found = shutil.which(f"python{version}")
    if found:
        return found
    folder = pathlib.Path(os.environ.get("CORUN_PYTHONS", top / "build")) / f"python{version}"
    program = folder / f"python{version}"
    if not program.exists():
        folder.mkdir(parents=True, exist_ok=True)
        fetch(version, folder)
        libraries = folder / "unpacked/usr/lib/x86_64-linux-gnu"
        program.write_text(f'#!/bin/sh\nexec {libraries}/ld-linux-x86-64.so.2 --library-path {libraries} '
                           f'{folder}/unpacked/usr/bin/python{version} "$@"\n')
        program.chmod(0o755)
    if subprocess.run([program, "-c", "import asyncio"], capture_output=True).returncode:
        raise Skip(f"Debian's Python {version} does not run here")
    return str(program)
