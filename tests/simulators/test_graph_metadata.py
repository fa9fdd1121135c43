"""The simulator's property tables equal Microsoft's metadata, so accepted requests name only what exists."""

import re
from pathlib import Path

import pytest

from dev.simulators.graph import switches
from dev.simulators.graph.csdl import differences, properties_of
from dev.simulators.graph.switches import Switches

CSDL = Path(__file__).resolve().parents[3] / "shared" / "contracts" / "graph-v1.0-contacts.csdl"


@pytest.mark.skipif(not CSDL.exists(), reason="Microsoft's metadata (../shared/contracts) is not here")
def test_contacts_folders_and_their_parts_are_those_of_the_metadata():
    assert differences(CSDL) == []
    assert properties_of(CSDL, "contact")["changeKey"] == "Edm.String"  # of the base type, too


def test_every_switch_is_described_with_its_default():
    described = dict(re.findall(r"^\| (\w+) \| ([^,|]+)", switches.__doc__ or "", re.MULTILINE))
    described.pop("switch")
    actual = Switches()
    assert described.keys() == vars(actual).keys()
    for name, text in described.items():
        default = getattr(actual, name)
        assert text.strip().strip('"') == str(default), name


def test_a_switch_that_does_not_exist_or_has_another_type_is_refused():
    for wrong in ({"colour": 1}, {"throttling": "yes"}, {"limit_requests": 1.5}):
        with pytest.raises(ValueError, match="switch"):
            Switches().change(**wrong)
