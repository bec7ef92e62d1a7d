"""Cases in which every two circumstances of a loss meet: a dtype and a size, an option and a nan."""
