"""`python -m medloom` is the `medloom` command."""

from .cli import main

main()
