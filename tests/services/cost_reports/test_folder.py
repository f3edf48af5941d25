"""A report's files: whole or not at all, and never over what is not the console's own."""

import os
from pathlib import Path

import pytest

from services.connection.errors import ServiceError
from services.cost_reports import folder as module
from services.cost_reports.folder import check_folder, version_of, write_files

OLD, NEW = b"old", b"new"
FILES = {"a.html": NEW, "a.csv": NEW}


def refusal(folder: Path, own: list[str] | None = None, files: dict[str, bytes] | None = None) -> str:
    with pytest.raises(ServiceError) as refused:
        write_files(folder, files or FILES, own or [])
    assert refused.value.code == "NotWritten"
    return refused.value.cause


def test_the_files_are_there_and_nothing_else(tmp_path: Path) -> None:
    write_files(tmp_path, FILES, [])
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == FILES


def test_a_file_of_somebody_else_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_bytes(OLD)
    assert refusal(tmp_path, [version_of(NEW)]) == "a.html is there already, and is not this console's."
    with pytest.raises(ServiceError):
        check_folder(tmp_path, FILES, [])
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == {"a.html": OLD}


def test_its_own_of_a_process_that_ended_is_replaced_with_its_leftovers(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_bytes(OLD)
    (tmp_path / ".a.html.0011.part").write_bytes(b"ha")
    check_folder(tmp_path, FILES, [version_of(OLD)])
    write_files(tmp_path, FILES, [version_of(OLD)])
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == FILES


def test_a_link_and_a_folder_of_that_name_are_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(OLD)
    (tmp_path / "a.html").symlink_to("elsewhere")
    (tmp_path / "a.csv").mkdir()
    for files in ({"a.html": NEW}, {"a.csv": NEW}):
        assert "is not this console's" in refusal(tmp_path, [version_of(OLD)], files)
    assert (tmp_path / "elsewhere").read_bytes() == OLD


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_came_meanwhile_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool) -> None:
    """Where the file system has second names; elsewhere a file is renamed."""
    if not links:

        def refuse(*_args: object) -> None:
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr(module.os, "link", refuse)
        write_files(tmp_path, FILES, [])
        assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == FILES
        return
    write = module._write

    def also(file: Path, content: bytes) -> None:
        write(file, content)
        (tmp_path / "a.html").write_bytes(OLD)

    monkeypatch.setattr(module, "_write", also)
    assert "is not this console's" in refusal(tmp_path)
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == {"a.html": OLD}


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.html").write_bytes(OLD)

    def full(_number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.os, "fsync", full)
    assert refusal(tmp_path, [version_of(OLD)]) == "The folder can't be used: The disk is full."
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == {"a.html": OLD}


def test_a_folder_that_is_not_there_or_not_to_be_written_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def checked(folder: Path) -> str:
        with pytest.raises(ServiceError) as refused:
            check_folder(folder, FILES, [])
        return refused.value.cause

    assert checked(tmp_path / "no") == "The folder can't be used: There is no such folder."
    (tmp_path / "file").write_bytes(OLD)
    assert checked(tmp_path / "file") == "The folder can't be used: It is no folder."
    monkeypatch.setattr(os, "access", lambda *_args: False)  # As root anything may be written.
    assert checked(tmp_path) == "The folder can't be used: The console may not write to it."
