"""Indices and reports as rows, as data frames, and as tables in notebooks."""

from __future__ import annotations

import copy
import pickle
import sys
from pathlib import Path
from typing import Any

import pytest

from hatcher.api import BatchReport, FileResult
from hatcher.core import index as indices
from hatcher.core.index import Index
from hatcher.errors import HatcherException
from hatcher.testing import write_app, write_bundle, write_egg, write_legacy_runtime, write_runtime
from hatcher.transfer.reports import FileFacts

EGG = {"name": "spam", "version": "1.0.0", "build": 1, "size": 7, "mtime": 0.5, "odd": [{}]}

#: An index, and a row of it as far as it is told.
INDICES = {
    "eggs": (indices.EGGS, {"spam-1.0.0-1.egg": EGG}, {"filename": "spam-1.0.0-1.egg", **EGG}),
    "apps": (
        indices.APPS,
        {"cp38": {"com.example": {"1.10": {"2": {"name": "Viewer", "python_tag": None}}}}},
        {"id": "com.example", "version": "1.10", "build": 2, "name": "Viewer", "python_tag": None},
    ),
    "runtimes": (
        indices.RUNTIMES,
        {"cpython": {"3.8.17+1": {"sha256": "ab"}}},
        {"implementation": "cpython", "version": "3.8.17+1", "sha256": "ab"},
    ),
    "legacy runtimes": (
        indices.LEGACY_RUNTIMES,
        {"python": {"2.7.10": {"1": {"filename": "a.zip"}}}},
        {"language": "python", "version": "2.7.10", "build": 1, "filename": "a.zip"},
    ),
    "bundles": (
        indices.BUNDLES,
        {"cp38": {"tools": {"1.0.0": {"first": {"platform": "rh8_x86_64"}}}}},
        {"python_tag": "cp38", "name": "tools", "version": "1.0.0", "build": "first"},
    ),
}


@pytest.fixture(params=INDICES)
def kind(request: pytest.FixtureRequest) -> tuple[Index[Any], dict[str, Any]]:
    layout, document, row = INDICES[request.param]
    return Index(document, layout), row


def test_a_row_has_what_addresses_it_and_what_is_said_and_all_fields(kind):
    index, wanted = kind
    (row,) = index.rows()
    assert wanted.items() <= row.items()
    untold = row.keys() - wanted.keys() - {"platform"}
    assert "full_version" in untold or "filename" in untold
    assert {row[name] for name in untold} == {None}
    assert list(row)[: len(index._layout.keys)] == list(index._layout.keys)
    for same in (copy.copy(index), copy.deepcopy(index), pickle.loads(pickle.dumps(index))):
        assert same == index and same.rows() == [row]
    assert Index({}, index._layout).rows() == []


def test_a_table_ends_with_how_many_more_there_are():
    many = Index({f"spam-{number}-1.egg": EGG for number in range(50_000)}, indices.EGGS)
    assert many._repr_html_().endswith("<p>and 49,900 more; 50,000 in all</p>")
    few = Index({name: many[name] for name in list(many)[:100]}, indices.EGGS)
    assert few._repr_html_().endswith("</table>")
    results = tuple(FileResult(f"{name}.egg", Path(), "uploaded") for name in range(101))
    assert BatchReport(results)._repr_html_().endswith("<p>and 1 more; 101 in all</p>")


def test_rows_of_what_a_server_says(platform, repository, client, tmp_path):
    egg = write_egg(tmp_path, "spam", packages=["eggs 2.0-1"], python_tag="cp311")
    platform.upload_egg(egg)
    (row,) = platform.egg_index("cp311").rows()
    assert (row["filename"], row["size"], row["packages"]) == (
        egg.name,
        egg.stat().st_size,
        ["eggs 2.0-1"],
    )
    repository.upload_app(write_app(tmp_path))
    (row,) = platform.app_index().rows()
    assert (row["id"], row["version"], row["build"]) == ("com.example.viewer", "1.10", 2)
    if client.api_version == 0:
        repository.upload_runtime(write_legacy_runtime(tmp_path))
        (row,) = client.at("acme/dev/rh8-64").runtime_index().rows()
        assert (row["language"], row["build"], row["python_tag"]) == ("python", 1, "cp27")
        return
    repository.upload_runtime(write_runtime(tmp_path))
    (row,) = platform.runtime_index().rows()
    assert (row["implementation"], row["version"]) == ("cpython", "3.8.17+1")
    repository.upload_bundle(write_bundle(tmp_path))
    (row,) = platform.bundle_index().rows()
    assert (row["python_tag"], row["name"], row["build"]) == ("cp38", "tools", 1)


def test_without_pandas_an_error_names_the_extra(kind, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    for thing in (kind[0], BatchReport(())):
        with pytest.raises(HatcherException, match=r"need pandas, .*extra 'pandas'"):
            thing.to_frame()


class TestWithPandas:
    @pytest.fixture(autouse=True)
    def pandas(self) -> Any:
        return pytest.importorskip("pandas")

    def test_columns_have_the_types_of_the_description(self, pandas):
        index = Index(
            {
                "spam-1.0.0-1.egg": {**EGG, "available": True, "packages": ["eggs"]},
                "eggs-1.0-2.egg": {"name": "eggs", "version": "1.0", "build": 2, "size": None},
            },
            indices.EGGS,
        )
        frame = index.to_frame()
        types = frame.dtypes.astype(str)
        wanted = {"filename": "string", "build": "Int64", "size": "Int64", "available": "boolean"}
        assert wanted.items() <= dict(types).items()
        assert types["packages"] == types["odd"] == "object"
        assert types["mtime"].startswith("datetime64[") and types["mtime"].endswith("UTC]")
        assert frame["size"].sum() == 7 and frame["size"].isna().tolist() == [False, True]
        assert frame["mtime"][0] == pandas.Timestamp(0.5, unit="s", tz="UTC")
        assert frame["packages"][0] == ["eggs"]
        empty = Index({}, indices.EGGS).to_frame()
        assert (len(empty), str(empty["size"].dtype)) == (0, "Int64")

    def test_what_has_another_type_stays_as_it_is(self, pandas):
        odd = {"size": "large", "build": 10**30, "mtime": 1e300, "available": "yes", "name": 7}
        frame = Index({"a-1-1.egg": {**EGG, **odd}, "b-1-1.egg": EGG}, indices.EGGS).to_frame()
        assert {name: frame[name][0] for name in odd} | {"name": "7"} == odd | {"name": "7"}

    def test_reports(self, tmp_path):
        report = BatchReport(
            (
                FileResult(
                    "a.egg", tmp_path / "a.egg", "uploaded", 7, None, FileFacts("ab", attempts=2)
                ),
                FileResult("b.egg", tmp_path / "b.egg", "failed", None, OSError("no room")),
            )
        )
        frame = report.to_frame()
        assert frame["outcome"].tolist() == ["uploaded", "failed"]
        assert frame["error"].isna().tolist() == [True, False] and frame["error"][1] == "no room"
        assert frame["path"][0] == str(tmp_path / "a.egg")
        assert str(frame["size"].dtype) == "Int64" and frame["size"].sum() == 7
        assert frame["attempts"].tolist() == [2, 0] and frame["sha256"].isna().tolist() == [0, 1]
        assert [str(frame[name].dtype) for name in ("replaced", "seconds")] == [
            "boolean",
            "Float64",
        ]
        assert list(BatchReport(()).to_frame()) == list(frame)
