import socket

import pytest
from click.testing import CliRunner

from emoscope.cli import main


def test_a_port_in_use_is_told_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = CliRunner().invoke(main, ["live", "--port", str(taken.getsockname()[1])])
    assert result.exit_code == 2
    assert "name another with --host or --port" in result.stderr and result.stderr.count("\n") == 1


@pytest.mark.parametrize(("option", "name"), [("--face-model", "nobody"), ("--face-model", "voice")])
def test_a_wrong_model_is_told_in_one_line(option: str, name: str) -> None:
    result = CliRunner().invoke(main, ["live", "--port", "0", option, name])
    assert result.exit_code == 2
    assert "model" in result.stderr and result.stderr.count("\n") == 1
