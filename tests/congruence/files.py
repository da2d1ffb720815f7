"""The files that the calls upload."""

from __future__ import annotations

from pathlib import Path

from hatcher.testing import write_app, write_bundle, write_legacy_runtime, write_runtime

from ..interop.artefacts import write_old_egg

PLATFORM = "rh5_x86_64"


class File(str):
    """The name of one of them; or of one that is not there."""


EGG = File("MyEgg-1.0.dev1-2.egg")
UNTAGGED_EGG = File("untagged-1.0-1.egg")
LEGACY_RUNTIME = File("python_runtime_2.7.10_6.0.0_rh5-64_1.zip")
ODD_LEGACY_RUNTIME = File("pypy_runtime_2.7.10_6 0+ü_RH5 64_12.tar.gz")
RUNTIME = File("cpython-3.8.17+1-rh5_x86_64-gnu.runtime")
RENAMED_RUNTIME = File("cpython-3.8.18+1-rh5_x86_64-gnu.runtime")
APP = File("viewer.yaml")
ODD_APP = File("Ünï cödé+@.txt")
APP_FOR_NOWHERE = File("nowhere.yaml")
BUNDLE = File("tools-1.0.0-1.bundle")
ODD_BUNDLE = File("Wërk.zeug_2-1.0+b 1-02.bundle")

#: No artefact, whatever its name.
NO_ZIP = {
    "egg": File("text-1.0-1.egg"),
    "runtime": File("cpython-3.8.9+1-rh5_x86_64-gnu.runtime"),
}
MISNAMED_BUNDLE = File("a-b-1.0-1.bundle")
EMPTY_BUNDLE = File("empty-1.0-1.bundle")


def write_files(folder: Path) -> None:
    """Write them all."""
    write_old_egg(folder, "MyEgg", "1.0.dev1", build=2, platform="rh5-x86_64", python_tag="cp27")
    write_old_egg(folder, "untagged", "1.0", platform="rh5-x86_64")
    write_legacy_runtime(folder, platform="rh5-64")
    (folder / ODD_LEGACY_RUNTIME).write_text("Whatever is in it.", encoding="utf-8")
    write_runtime(folder, platform=PLATFORM)
    write_runtime(folder, filename=RENAMED_RUNTIME, platform=PLATFORM)
    write_app(folder, APP, platform="rh5-x86_64")
    write_app(folder, ODD_APP, platform="RH5 64+ü@")
    (folder / APP_FOR_NOWHERE).write_text("id: a\n", encoding="utf-8")
    runtime = {"implementation": "cpython", "platform": PLATFORM, "version": "3.8.17+1"}
    bundle = write_bundle(folder, runtime=runtime)
    for name in (ODD_BUNDLE, MISNAMED_BUNDLE):
        (folder / name).write_bytes(bundle.read_bytes())
    (folder / EMPTY_BUNDLE).write_text("{}", encoding="utf-8")
    for name in NO_ZIP.values():
        (folder / name).write_text("no zip file", encoding="utf-8")
    for name in (EGG, UNTAGGED_EGG, LEGACY_RUNTIME, RUNTIME, BUNDLE):
        assert (folder / name).is_file()
