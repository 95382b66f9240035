"""Outputs of ended jobs are kept on this machine, within limits, for their owner only."""

import stat

import pytest

from jupyter_tapis_jobs.client.output_cache import OutputCache, default_place


def test_what_was_put_is_found_by_job_and_path(cache):
    cache.put({"a": b"1", "b": b""}, "x.csv")
    cache.put({"a": b"2"}, "y.csv")
    assert cache.get(["a", "b", "c"], "x.csv") == {"a": b"1", "b": b""}
    assert cache.get(["a"], "y.csv") == {"a": b"2"}


def test_more_jobs_than_a_question_may_name_are_found(cache):
    cache.put({str(number): b"x" for number in range(2345)}, "x.csv")
    assert len(cache.get([str(number) for number in range(3000)], "x.csv")) == 2345


def test_large_files_are_not_kept_and_the_oldest_go_first(tmp_path):
    cache = OutputCache(tmp_path / "outputs.sqlite", largest=100, limit=250)
    cache.put({"large": bytes(101)}, "x")
    for name in ("first", "second", "third"):
        cache.put({name: bytes(100)}, "x")
    assert set(cache.get(["large", "first", "second", "third"], "x")) == {"second", "third"}


def test_only_its_owner_can_read_it(cache, tmp_path):
    cache.put({"a": b"1"}, "x")
    assert stat.S_IMODE((tmp_path / "outputs.sqlite").stat().st_mode) == 0o600


def test_a_damaged_place_keeps_nothing_and_harms_nobody(tmp_path):
    place = tmp_path / "outputs.sqlite"
    place.write_bytes(b"this is no database at all" * 100)
    cache = OutputCache(place)
    cache.put({"a": b"1"}, "x")
    assert cache.get(["a"], "x") == {}
    assert OutputCache(place / "below a file").get(["a"], "x") == {}


def test_forgetting_removes_all(cache):
    cache.put({"a": b"1"}, "x")
    cache.forget()
    cache.forget()
    assert cache.get(["a"], "x") == {}


@pytest.mark.parametrize("caches", ["/var/tmp/caches", None])
def test_it_lies_in_the_users_cache_folder(monkeypatch, caches):
    monkeypatch.setenv("HOME", "/home/ada")
    if caches:
        monkeypatch.setenv("XDG_CACHE_HOME", caches)
    else:
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    folder = caches or "/home/ada/.cache"
    assert str(default_place()) == f"{folder}/jupyter_tapis_jobs/outputs.sqlite"
