"""A Brood for tests: really running, really gone afterwards."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from hatcher.api import BroodBearerTokenAuth, BroodClient
from hatcher.errors import AuthenticationError
from hatcher.testing import BroodProcess, BroodServer


def listens(url: str) -> bool:
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname, parts.port), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True


class TestBroodServer:
    def test_it_runs_and_is_gone_afterwards(self):
        with BroodServer() as server:
            url, data = server.url, server.data
            assert server.client().list_organizations() == []
            assert listens(url)
            assert data.is_dir()
        assert not listens(url)
        assert not data.exists()

    def test_two_know_nothing_of_each_other(self):
        with BroodServer() as one, BroodServer() as other:
            one.client().create_organization("acme", "")
            assert one.url != other.url
            assert one.admin_password != other.admin_password
            assert other.client().list_organizations() == []

    def test_the_client_is_the_administrator(self, brood_server):
        for api_version in (0, 1):
            client = brood_server.client(api_version)
            assert client.api_version == api_version
            assert client.list_organizations() == []

    def test_other_credentials(self, brood_server):
        token = brood_server.client().create_api_token("laptop")["token"]

        client = brood_server.client(auth=BroodBearerTokenAuth(token))

        assert client.list_organizations() == []
        with pytest.raises(AuthenticationError):
            brood_server.client(auth=("nobody@example.com", "x")).list_organizations()
        with pytest.raises(AuthenticationError):
            BroodClient.from_url(brood_server.url, api_version=1).list_organizations()

    def test_data_that_are_given_stay(self, tmp_path):
        with BroodServer(tmp_path / "data") as server:
            server.client().create_organization("acme", "")
        with BroodServer(tmp_path / "data") as server:
            assert server.client().list_organizations() == ["acme"]
        assert (tmp_path / "data").is_dir()

    def test_it_can_be_stopped_and_started(self, brood_server):
        brood_server.client().create_organization("acme", "")
        brood_server.stop()
        with pytest.raises(RuntimeError, match="does not run"):
            _ = brood_server.url
        brood_server.start()
        assert brood_server.client().list_organizations() == ["acme"]

    def test_one_that_runs_is_not_started_again(self, brood_server):
        url = brood_server.url
        brood_server.start()
        assert brood_server.url == url

    def test_its_repr_tells_no_secret(self, brood_server):
        assert brood_server.url in repr(brood_server)
        assert brood_server.admin_password not in repr(brood_server)
        assert brood_server.admin_password not in repr(brood_server.client())

    def test_no_thread_is_left(self):
        before = set(threading.enumerate())
        with BroodServer() as server:
            server.client().list_organizations()
        left = [thread for thread in set(threading.enumerate()) - before if not thread.daemon]
        assert left == []


class TestBroodProcess:
    def test_it_is_another_process_and_gone_afterwards(self):
        with BroodProcess() as server:
            url, data, pid = server.url, server.data, server.pid
            assert pid != os.getpid()
            assert server.client().list_organizations() == []
        assert not listens(url)
        assert not data.exists()
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)

    def test_killed_and_restarted_it_has_the_same_url_and_data(self):
        with BroodProcess() as server:
            url, pid = server.url, server.pid
            server.client().create_organization("acme", "")

            server.kill()
            assert not listens(url)
            server.restart()

            assert (server.url, server.pid != pid) == (url, True)
            assert server.client().list_organizations() == ["acme"]
            server.restart()  # while it runs
            assert server.client().list_organizations() == ["acme"]

    def test_one_that_cannot_start_says_why(self, tmp_path):
        no_folder = tmp_path / "file"
        no_folder.write_text("")
        with pytest.raises(RuntimeError, match=r"(?s)ended with status .*file"):
            BroodProcess(no_folder).start()

    def test_one_that_takes_too_long_is_not_left_running(self):
        with pytest.raises(RuntimeError, match=r"not ready within 0.01 s"):
            BroodProcess(start_timeout=0.01).__enter__()

    def test_what_does_not_run_says_so(self, tmp_path):
        server = BroodProcess(tmp_path)
        assert "stopped" in repr(server)
        with pytest.raises(RuntimeError, match="never ran"):
            _ = server.url
        with pytest.raises(RuntimeError, match="does not run"):
            _ = server.pid
        assert server.log == ""
        server.kill()
        server.stop()
        with server:
            pid = server.pid
            server.start()
            assert server.pid == pid

    def test_a_server_that_ends_by_itself_is_stopped_quietly(self):
        with BroodProcess() as server:
            os.kill(server.pid, signal.SIGTERM)


def run_pytest(folder: Path, module: str) -> str:
    """Run a user's tests, with warnings as errors; return what pytest prints."""
    (folder / "test_mine.py").write_text(module)
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
    command += ["-p", "no:schemathesis"]  # takes two seconds to load
    done = subprocess.run(
        [*command, str(folder)], capture_output=True, text=True, cwd=folder, check=False
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


class TestPlugin:
    def test_the_fixtures_work_in_a_project_of_a_user(self, tmp_path):
        printed = run_pytest(
            tmp_path,
            "def test_one(brood_server):\n"
            "    brood_server.client().create_organization('acme', '')\n"
            "    assert brood_server.client().list_organizations() == ['acme']\n"
            "def test_two(brood_server):\n"
            "    assert brood_server.client().list_organizations() == []\n"
            "def test_three(brood_process):\n"
            "    brood_process.kill()\n"
            "    brood_process.restart()\n"
            "    assert brood_process.client().list_organizations() == []\n",
        )
        assert "3 passed" in printed

    def test_the_async_client_works_on_both_event_loops_and_needs_none_to_be_closed(self, tmp_path):
        printed = run_pytest(
            tmp_path,
            "import importlib\n"
            "import pytest\n"
            "from hatcher.errors import HatcherException\n"
            "left = []\n"
            "@pytest.mark.anyio\n"
            "@pytest.mark.parametrize('anyio_backend', ['asyncio', 'trio'])\n"
            "async def test_with_anyio(async_brood_client, brood_server):\n"
            "    assert async_brood_client.api_version == 1\n"
            "    assert (await async_brood_client.whoami())['user'] == brood_server.admin_email\n"
            "    await async_brood_client.create_organization('acme', '')\n"
            "    assert brood_server.client().list_organizations() == ['acme']\n"
            "    left.append(async_brood_client)\n"
            "@pytest.mark.parametrize('name', ['asyncio', 'trio'])\n"
            "def test_without_a_plugin(async_brood_client, name):\n"
            "    run = importlib.import_module(name).run\n"
            "    async def main():\n"
            "        return await async_brood_client.list_organizations()\n"
            "    assert run(main() if name == 'asyncio' else main) == []\n"
            "def test_not_used(async_brood_client):\n"
            "    pass\n"
            "@pytest.mark.anyio\n"
            "@pytest.mark.parametrize('anyio_backend', ['asyncio', 'trio'])\n"
            "async def test_closed_by_the_test(async_brood_client):\n"
            "    async with async_brood_client:\n"
            "        assert await async_brood_client.list_organizations() == []\n"
            "def test_closed_at_the_end():\n"
            "    assert len(left) == 2\n"
            "    for client in left:\n"
            "        with pytest.raises(HatcherException, match='was closed'):\n"
            "            client._sync.list_organizations()\n",
        )
        assert "8 passed" in printed

    def test_it_imports_nothing_that_pytest_has_not(self):
        code = (
            "import sys, pytest\n"
            "before = set(sys.modules)\n"
            "import hatcher.testing.pytest_plugin\n"
            "print(*sorted(set(sys.modules) - before))\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        assert done.stdout.split() == [
            "hatcher",
            "hatcher.testing",
            "hatcher.testing.pytest_plugin",
        ]

    def test_every_public_name_is_there(self):
        import hatcher.testing

        assert dir(hatcher.testing) == sorted(hatcher.testing.__all__)
        for name in hatcher.testing.__all__:
            assert getattr(hatcher.testing, name).__name__ == name
        with pytest.raises(AttributeError, match="nothing_like_this"):
            _ = hatcher.testing.nothing_like_this
