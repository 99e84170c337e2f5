import subprocess
import sys


def test_the_command_line_loads_none_of_the_platform_before_a_command_needs_it() -> None:
    program = "import sys, eldonia_ops.cli.main; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert "typer" in loaded
    assert not {"numpy", "sqlalchemy", "alembic", "fastapi", "uvicorn", "chdb", "yaml"} & set(loaded)
