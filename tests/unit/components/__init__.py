"""The program as the engine runs it, by mocks."""
