"""Put the case files and the guides into the package as it is built; pyproject.toml says all the rest."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithCases(build_py):
    """The package, and ``cases/`` and ``docs/`` within it; an editable one reads them where they are."""

    def run(self) -> None:
        """Copy the folders after the modules, without what an earlier build left."""
        super().run()
        for name in () if self.editable_mode else ("cases", "docs"):
            packaged = Path(self.build_lib) / "lossproof" / name
            shutil.rmtree(packaged, ignore_errors=True)
            # Beside the guides lies a script that is for the checkout.
            ignored = shutil.ignore_patterns("*.py", "__pycache__")
            shutil.copytree(Path(__file__).parent / name, packaged, ignore=ignored)


setup(cmdclass={"build_py": BuildWithCases})
