"""The ids that findings bear: known, current, and of the versions that the table names."""

from __future__ import annotations

import re

import pytest

from detect.frameworks import FILE, current, revoked, techniques
from detect.run import all_detectors


@pytest.mark.parametrize("detector", all_detectors(), ids=lambda d: d.name)
def test_a_detector_bears_only_ids_that_are_known_and_stand(detector) -> None:
    assert detector.techniques
    for id in detector.techniques:
        assert id in techniques(), f"{id} is not in {FILE.name}"
        assert id not in revoked()


def test_no_id_of_the_table_is_revoked_and_every_one_is_well_formed() -> None:
    assert not set(techniques()) & set(revoked())
    for id, technique in techniques().items():
        assert re.fullmatch(r"T\d{4}(\.\d{3})?|AML\.T\d{4}(\.\d{3})?|ASI(0[1-9]|10)", id)
        assert technique.name
        assert technique.version
    assert {t.framework for t in techniques().values()} == {"MITRE ATT&CK", "MITRE ATLAS", "OWASP ASI"}


def test_a_revoked_id_is_read_as_what_took_its_place() -> None:
    assert current("t1562.007") == "T1686.001"
    assert current("T1021.004") == "T1021.004"
    assert techniques()[current("T1562.008")].tactics == (("TA0112", "Defense Impairment"),)


def test_links_lead_to_the_technique() -> None:
    assert techniques()["T1686.001"].url.endswith("/techniques/T1686/001/")
    assert techniques()["AML.T0053"].url.endswith("/AML.T0053")
