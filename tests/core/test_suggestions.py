"""What may have been meant by a name that was not found."""

from __future__ import annotations

import pytest

from hatcher.api import BroodClient, SinglePlatformRepository
from hatcher.errors import InvalidNameError, NotFoundError
from hatcher.testing import Answer, ScriptedServer


@pytest.mark.parametrize(
    ("path", "advice"),
    [
        ("acne/dev/rh8-x86_64", "no organization 'acne' .* Did you mean 'acme'?"),
        ("acme/Deb/rh8-x86_64", "no repository 'Deb' .* Did you mean 'dev'?"),
        ("xyzzy/dev/rh8-x86_64", "no organization 'xyzzy' that you may see.$"),
    ],
)
def test_the_first_wrong_name_is_found(client, repository, path, advice):
    place = client.at(path)
    assert isinstance(place, SinglePlatformRepository)
    with pytest.raises(NotFoundError, match=advice):
        place.list_eggs("cp311")


def test_when_all_names_are_right_the_advice_is_the_usual_one(repository):
    with pytest.raises(NotFoundError, match="Check the names"):
        repository.platform("rh8_x86_64").egg_metadata("cp311", "nose", "1.0-1")


def test_nobody_is_asked_when_a_404_is_an_answer():
    with ScriptedServer(Answer(404)) as server:
        platform = BroodClient.from_url(server.url).at("acme/dev/rh8-x86_64")
        assert isinstance(platform, SinglePlatformRepository)
        assert not platform.egg("cp311", "nose", "1.0-1").exists()
        assert len(server.requests) == 1


def test_a_server_that_cannot_tell_does_not_hide_the_404():
    with ScriptedServer(Answer(404), Answer(403)) as server:
        with pytest.raises(NotFoundError, match="Check the names"):
            client = BroodClient.from_url(server.url, auth=("ada", "secret"))
            client.organization("acme").list_repositories()
        assert len(server.requests) == 2


@pytest.mark.parametrize("path", ["", "/", "a/b/c/d", "a//b", "a/../b", None])
def test_what_is_no_path(path):
    with pytest.raises(InvalidNameError):
        BroodClient.from_url("https://brood.example.com").at(path)
