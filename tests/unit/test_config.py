"""Settings that cannot work or are not safe refuse to start, and name the variable to mend."""

from pathlib import Path

import pytest

from okrgate.config import BadSettings, Settings

GOOD = {
    "OKRGATE_SECRET_KEY": "k3-9fJq_7sLx2Vw8Zr5Tb1Nc6Hy4Dm0Pg",
    "OKRGATE_BASE_URL": "https://gates.example.com",
}


def test_good_settings_are_taken() -> None:
    settings = Settings.from_environment(GOOD)

    assert (settings.host, settings.secure) == ("gates.example.com", True)
    assert GOOD["OKRGATE_SECRET_KEY"] not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OKRGATE_SECRET_KEY", ""),
        ("OKRGATE_SECRET_KEY", "too-short-9fJq"),
        ("OKRGATE_SECRET_KEY", "change-me-9fJq7sLx2Vw8Zr5Tb1Nc6Hy4Dm"),
        ("OKRGATE_SECRET_KEY", "a" * 64),
        ("OKRGATE_BASE_URL", "gates.example.com"),
        ("OKRGATE_BASE_URL", "http://gates.example.com"),
        ("OKRGATE_BASE_URL", "ftp://gates.example.com"),
        ("OKRGATE_TIMEZONE", "Mars/Olympus"),
        ("OKRGATE_CURRENCY", "euro"),
        ("OKRGATE_SMTP_PORT", "twenty-five"),
        ("OKRGATE_SMTP_PORT", "99999"),
        ("OKRGATE_SMTP_SECURITY", "maybe"),
        ("OKRGATE_TRUSTED_PROXIES", "-1"),
        ("OKRGATE_METRICS_TOKEN", "short"),
    ],
)
def test_what_is_unsafe_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(BadSettings, match=name):
        Settings.from_environment({**GOOD, name: value})


def test_a_secret_can_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(GOOD["OKRGATE_SECRET_KEY"] + "\n")

    settings = Settings.from_environment({"OKRGATE_SECRET_FILE": str(file)})
    assert settings.secret_key == GOOD["OKRGATE_SECRET_KEY"]

    with pytest.raises(BadSettings, match="OKRGATE_SECRET_FILE"):
        Settings.from_environment({"OKRGATE_SECRET_FILE": str(tmp_path / "none")})
