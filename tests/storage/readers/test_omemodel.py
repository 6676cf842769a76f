"""OME models are read and written as the library does, only faster."""

from __future__ import annotations

from pathlib import Path

import ome_types
import pytest

from cid_server_ext.storage.readers.ome.omemodel import from_xml, to_xml


@pytest.mark.parametrize("name", ["instrument", "tubhiswt", "filter", "hcs", "mapannotation"])
def test_real_ome_xml_is_the_same_both_ways(real: Path, name: str) -> None:
    text = (real / f"omexml/{name}.ome.xml").read_text()
    model = from_xml(text)
    assert model == ome_types.from_xml(text)
    assert to_xml(model) == ome_types.to_xml(model)
    assert to_xml(from_xml(to_xml(model))) == to_xml(model)


def test_lists_that_were_appended_to_are_written() -> None:
    model = ome_types.OME()
    model.experimenters.append(ome_types.model.Experimenter(user_name="someone"))
    assert 'UserName="someone"' in to_xml(model)


@pytest.mark.parametrize("text", ["", "no xml", "<OME", "<html/>"])
def test_what_is_no_ome_is_an_error_that_readers_expect(text: str) -> None:
    with pytest.raises((ValueError, TypeError)):
        from_xml(text)
