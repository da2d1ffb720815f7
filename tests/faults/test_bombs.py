"""Small files that unpack to huge ones must not take the memory of who reads them."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import httpx
import pytest

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc"),
    pytest.mark.usefixtures("unmeasured"),
]

#: What may be taken for reading one small file, in bytes.
LIMIT = 60_000_000


@pytest.fixture(params=["EGG-INFO/spec/depend", "EGG-INFO/PKG-INFO", "EGG-INFO/spec/summary"])
def bomb(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """An egg of 150 kB, one member of which is 150 MB of blanks."""
    path = tmp_path / "Bomb-1.0-1.egg"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as egg:
        if request.param != "EGG-INFO/spec/depend":
            egg.writestr(
                "EGG-INFO/spec/depend",
                "metadata_version = '1.4'\nname = 'Bomb'\nversion = '1.0'\nbuild = 1\n"
                "arch = None\nplatform = None\nosdist = None\npython = None\n"
                "python_tag = None\nabi_tag = None\nplatform_tag = None\nplatform_abi = None\n"
                "packages = []\n",
            )
        with egg.open(request.param, "w") as member:
            for _ in range(150):
                member.write(b" " * 1_000_000)
    assert path.stat().st_size < 200_000
    return path


def test_reading_one(bomb):
    code = (
        "import re, sys\n"
        "from hatcher.artefacts.egg import read_egg\n"
        "from hatcher.errors import InvalidEgg\n"
        "try:\n"
        "    read_egg(sys.argv[1])\n"
        "except InvalidEgg as error:\n"
        "    print(error)\n"
        "print(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])\n"
    )
    done = subprocess.run([sys.executable, "-c", code, bomb], capture_output=True, text=True)
    refusal, peak = done.stdout.splitlines()
    assert bomb.name in refusal
    assert int(peak) * 1024 < LIMIT + 40_000_000  # which the imports take


def test_uploading_one(bomb, brood_process):
    brood_process.client().create_organization("acme", "").create_repository("dev", "")

    def memory(name: str) -> int:
        status = Path(f"/proc/{brood_process.pid}/status").read_text()
        found = re.search(rf"{name}:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) * 1024

    before = memory("VmRSS")
    content = bomb.read_bytes()
    data = json.dumps({"sha256": hashlib.sha256(content).hexdigest()})
    answer = httpx.post(
        f"{brood_process.url}/api/v1/json/data/acme/dev/rh8-x86_64/eggs/upload",
        params={"overwrite": "False", "enabled": "True"},
        files=[("file", (bomb.name, content)), ("data", ("data", data, "application/json"))],
        auth=(brood_process.admin_email, brood_process.admin_password),
        timeout=60,
    )
    assert answer.status_code == 400, answer.text
    assert memory("VmHWM") - before < LIMIT
