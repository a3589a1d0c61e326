"""Both sides of every operation, compared: the services in Go and the fallbacks in Python."""
