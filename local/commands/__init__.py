"""The commands of ./sofia, one module each."""
