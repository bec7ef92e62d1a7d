"""Cases in which every two circumstances of a loss meet: a dtype and a size, an option and a nan."""

from pathlib import Path

FILE = Path(__file__).parents[2] / "cases" / "losses" / "combinations.yaml"
