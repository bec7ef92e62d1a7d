"""The catalogue: a file or folder for each loss, and ``shared`` for the mistakes that several losses make."""
