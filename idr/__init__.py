"""Commands and checks around the program."""
