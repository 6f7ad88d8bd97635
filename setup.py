"""Build: the templates, the static files and the rules lie beside the package and belong into it."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

BESIDE = ("templates", "static", "rules")


class WithResources(build_py):
    """Copies them to okrgate/resources/, where okrgate.config.resources() looks first."""

    def run(self) -> None:
        """Build the package; an editable one finds them in the checkout."""
        super().run()
        if self.editable_mode:
            return
        inside = Path(self.build_lib) / "okrgate" / "resources"
        for name in BESIDE:
            shutil.copytree(name, inside / name, dirs_exist_ok=True)


setup(cmdclass={"build_py": WithResources})
