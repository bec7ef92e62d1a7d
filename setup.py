"""Put the case files into the package as it is built; pyproject.toml says all the rest."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithCases(build_py):
    """The package, and ``cases/`` within it; an editable installation reads the folder where it is."""

    def run(self) -> None:
        """Copy the folder after the modules, without what an earlier build left."""
        super().run()
        if not self.editable_mode:
            packaged = Path(self.build_lib) / "lossproof" / "cases"
            shutil.rmtree(packaged, ignore_errors=True)
            shutil.copytree(Path(__file__).parent / "cases", packaged)


setup(cmdclass={"build_py": BuildWithCases})
