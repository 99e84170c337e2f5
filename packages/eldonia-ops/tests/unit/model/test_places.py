from pathlib import Path

from eldonia_ops.model.places import default_data


def test_where_data_lies() -> None:
    home = Path("/home/hana")
    assert default_data({}, home, root=False) == home / ".local/share/eldonia-ops"
    assert default_data({"XDG_DATA_HOME": "/x"}, home, root=False) == Path("/x/eldonia-ops")
    assert default_data({"XDG_DATA_HOME": "x"}, home, root=False) == home / ".local/share/eldonia-ops"
    assert default_data({"XDG_DATA_HOME": "/x"}, home, root=True) == Path("/var/lib/eldonia-ops")
