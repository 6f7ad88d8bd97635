"""Doctor knows every setting, and says what to do about the bad ones."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from okrgate.commands.told import LOOKERS, settings_told
from okrgate.config import BadSettings, Mail, Settings
from okrgate.watching import filesystems
from tests.conftest import SECRET

GOOD = Settings(
    database_url="sqlite:////var/lib/okrgate/okrgate.db",
    secret_key=SECRET,
    base_url="https://gates.example.com",
    trusted_proxies=1,
    mail=Mail(
        host="mail.example.com",
        port=587,
        username="gates",
        password="hush-hush",
        security="starttls",
        sender="Gates <gates@example.com>",
    ),
    metrics_token="q8-Lw2_nV5xR7tYb3Kc9",
)


def test_doctor_knows_every_setting() -> None:
    names = {field.name for field in fields(Settings)} - {"mail"}
    names |= {f"mail.{field.name}" for field in fields(Mail)}

    assert set(LOOKERS) == names


def test_good_settings_are_good_and_no_secret_is_said() -> None:
    found = list(settings_told(GOOD))

    assert [one for one in found if one.level != "ok"] == []
    said = " ".join(one.sentence for one in found)
    for secret in (SECRET, "hush-hush", GOOD.metrics_token):
        assert secret not in said


@pytest.mark.parametrize(
    ("change", "level", "words"),
    [
        ({"database_url": "mysql://x/y"}, "wrong", "Use sqlite"),
        ({"database_url": "postgresql://x/y"}, "wrong", "postgresql+psycopg"),
        ({"trusted_proxies": 0}, "warning", "Set it to the number"),
        ({"base_url": "http://localhost:8000"}, "warning", "Set it to 0"),
        ({"base_url": "http://localhost:8000"}, "warning", "set the https address"),
        ({"demo": True}, "warning", "Never with real projects"),
        ({"testing": True}, "wrong", "tests"),
        ({"sqlite_on_network": True}, "warning", "without need"),
        ({"checkpoint_days": 0}, "warning", "Set it to 7"),
        ({"mail": Mail()}, "warning", "Name your mail server"),
        ({"mail": Mail()}, "warning", "Name an address"),
        ({"mail": replace(GOOD.mail, port=465)}, "wrong", "SECURITY=tls"),
        ({"mail": replace(GOOD.mail, password="")}, "wrong", "without OKRGATE_SMTP_PASSWORD"),
        ({"mail": replace(GOOD.mail, username="")}, "wrong", "without OKRGATE_SMTP_USERNAME"),
        ({"mail": replace(GOOD.mail, security="none")}, "wrong", "in the clear"),
        ({"mail": replace(GOOD.mail, sender="nobody")}, "wrong", "is no address"),
    ],
)
def test_what_is_bad_is_said_with_what_to_do(
    change: dict[str, Any], level: str, words: str
) -> None:
    found = [one for one in settings_told(replace(GOOD, **change)) if one.level == level]

    assert any(words in one.sentence for one in found), found


MOUNTS = """\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 22 0:40 / /srv/share rw - nfs4 server:/export rw
31 22 0:41 / /mnt/with\\040space rw shared:5 - cifs //server/x rw
32 22 0:42 / /home/ada/remote rw - fuse.sshfs ada@server: rw
33 30 254:1 / /srv/share/local rw - xfs /dev/vdb rw
34 22 0:43 / /over rw - nfs server:/a rw
35 22 254:2 / /over rw - ext4 /dev/vdc rw
36 22 0:44 / /host rw - 9p host rw
"""


@pytest.fixture
def mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mountinfo").write_text(MOUNTS)
    monkeypatch.setattr(filesystems, "MOUNTS", tmp_path / "mountinfo")


@pytest.mark.usefixtures("mounts")
@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/okrgate.db", ""),
        ("/srv/share/okrgate.db", "nfs4"),
        ("/srv/share/deep/er/okrgate.db", "nfs4"),
        ("/srv/shared/okrgate.db", ""),
        ("/mnt/with space/okrgate.db", "cifs"),
        ("/home/ada/remote/okrgate.db", "fuse.sshfs"),
        ("/srv/share/local/okrgate.db", ""),
        ("/over/okrgate.db", ""),
        ("/host/okrgate.db", "9p"),
    ],
)
def test_sqlite_on_a_network_file_system_refuses_to_start(path: str, kind: str) -> None:
    settings = replace(GOOD, database_url=f"sqlite:///{path}")

    assert filesystems.network_under(settings) == kind
    if kind:
        with pytest.raises(BadSettings, match=f"network file system \\({kind}\\)"):
            filesystems.check(settings)
        assert any(one.level == "wrong" for one in settings_told(settings))
    else:
        filesystems.check(settings)
    filesystems.check(replace(settings, sqlite_on_network=True))
    filesystems.check(replace(settings, database_url="postgresql+psycopg://db/okrgate"))


@pytest.mark.usefixtures("mounts")
def test_a_link_to_a_network_file_system_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/srv/share")
    settings = replace(GOOD, database_url=f"sqlite:///{tmp_path}/link/okrgate.db")

    assert filesystems.network_under(settings) == "nfs4"


@pytest.mark.usefixtures("mounts")
def test_no_command_starts_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from okrgate.commands import main

    monkeypatch.setenv("OKRGATE_SECRET_KEY", SECRET)
    monkeypatch.setenv("OKRGATE_DATA", str(tmp_path))
    monkeypatch.setenv("OKRGATE_DATABASE_URL", "sqlite:////srv/share/okrgate.db")
    for command in (["migrate"], ["serve"], ["worker"], ["first-admin", "a@b.example", "A"]):
        result = CliRunner().invoke(main, command)
        assert result.exit_code == 2, command
        assert "network file system" in result.output
        assert result.output.count("\n") == 1


def test_where_the_system_does_not_say_nothing_is_refused(tmp_path: Path) -> None:
    assert filesystems.kind_of(Path("/"), tmp_path / "nothing") == ""
    broken = tmp_path / "broken"
    broken.write_text("no mounts here\n\n - \n")
    assert filesystems.kind_of(Path("/"), broken) == ""
