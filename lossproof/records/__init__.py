"""What a run leaves behind, as data: records of checks, results of tests, the run itself."""
