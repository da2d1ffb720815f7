"""The build hook: what is built carries a client that equals the description."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from .test_generation import add_operation, edit


def build(tree: Path, *arguments: str, succeeds: bool = True) -> str:
    """Build as anyone does: in an isolated environment with the build requirements only."""
    result = subprocess.run(
        [sys.executable, "-m", "build", *arguments],
        cwd=tree,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert (result.returncode == 0) == succeeds, result.stdout
    return result.stdout


@pytest.mark.long
def test_an_unchanged_tree_builds_without_the_generator(tree, generate):
    output = build(tree)  # the sdist, and the wheel from it
    assert "hatchling==" in output
    assert "openapi-python-client" not in output

    (sdist,) = (tree / "dist").glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        "hatch_build.py",
        "scripts/generate.py",
        "openapi/brood.yaml",
        "openapi/generator.yaml",
        "openapi/patches.toml",
        "openapi/templates/endpoint_module.py.jinja",
        "generated/brood_api/stamp.sha256",
    } <= inside

    (wheel,) = (tree / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        inside = {name: archive.read(name) for name in archive.namelist()}
    committed = generate.files_of(tree / "generated/brood_api")
    assert {name: inside[f"brood_api/{name}"] for name in committed} == committed
    assert {"brood_api/py.typed", "brood_api/brood.json", "hatcher/py.typed"} <= inside.keys()
    tops = {name.split("/")[0] for name in inside if ".dist-info/" not in name}
    assert tops == {"brood_api", "hatcher"}


@pytest.mark.long
def test_a_new_operation_is_in_the_next_wheel(tree, generate):
    add_operation(tree)
    output = build(tree, "--wheel")
    for pin in generate.pins(tree):
        assert pin in output  # asked for by the hook, since the stamp is stale

    (wheel,) = (tree / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        module = archive.read("brood_api/api/platforms/v1_get_weather.py").decode()
        operations = archive.read("brood_api/operations.py").decode()
    assert "def request_kwargs() -> dict[str, Any]:" in module
    assert '"v1_get_weather": Operation(' in operations
    assert not generate.is_stale(tree)


@pytest.mark.long
def test_a_faulty_description_fails_the_build_with_its_faults(tree):
    edit(tree, "components/parameters/Force", "components/parameters/Might")
    output = build(tree, "--wheel", succeeds=False)
    assert "$ref leads to nothing: #/components/parameters/Might" in output
    assert "Traceback" not in output
