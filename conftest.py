"""Load the harness: options, parametrization and reports come from the package's plugin."""

pytest_plugins = ["lossproof.running.plugin"]
