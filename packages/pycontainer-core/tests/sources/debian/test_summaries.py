from __future__ import annotations

from pathlib import Path

from pycontainer.layers.cache import LayerCache
from pycontainer.sources.debian.examination import summarize
from pycontainer.sources.debian.recipe import DebsRecipe
from pycontainer.sources.debian.state import DebianState
from pycontainer.sources.debian.summaries import SummaryCache
from pycontainer.testing.debs import DebForge, ForgedFile

from .conftest import deb_input


def test_what_a_layer_told_is_known_to_the_next_build(tmp_path: Path, base: DebianState) -> None:
    files: dict[str, bytes | ForgedFile] = {"usr/share/ca-certificates/x.crt": b"\xff\x00certificate"}
    deb = deb_input(DebForge(files=files, scripts={"postinst": "# é\n"}), tmp_path)
    LayerCache(tmp_path / "layers").make(DebsRecipe(debs=(deb,), base=base, keep=SummaryCache(tmp_path).put))
    expected = summarize(deb.open_path(), deb.package)
    assert expected.kept == {"usr/share/ca-certificates/x.crt": b"\xff\x00certificate"}
    deb.open_path().unlink()
    assert SummaryCache(tmp_path).find(deb) == expected


def test_a_damaged_summary_is_made_again(tmp_path: Path) -> None:
    deb = deb_input(DebForge(), tmp_path)
    cache = SummaryCache(tmp_path)
    summary = cache.find(deb)
    [file] = (tmp_path / "debs").iterdir()
    file.write_bytes(file.read_bytes()[:-2])
    assert cache.find(deb) == summary
