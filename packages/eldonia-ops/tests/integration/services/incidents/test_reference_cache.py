from eldonia_ops.services.incidents.reference_cache import IncidentReferences, Reference

ONE, TWO = Reference("a", "INC-1"), Reference("b", "INC-2")


def test_what_was_read_before_an_alert_changed_its_incident_is_not_kept() -> None:
    references = IncidentReferences()
    mark, known = references.known()
    assert known == {}
    references.keep(mark, {"f": ONE, "g": None})
    late, known = references.known()
    assert known == {"f": ONE, "g": None}
    references.attached({"f"})
    assert references.known()[1] == {"g": None}
    references.keep(late, {"f": ONE})
    assert references.known()[1] == {"g": None}
    mark, _ = references.known()
    references.keep(mark, {"f": TWO})
    assert references.known()[1] == {"f": TWO}, "and nothing of those that are gone"
