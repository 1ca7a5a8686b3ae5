"""What all tests have in common."""

from hypothesis import settings

# How long a case takes says more about the machine's load than about the code.
settings.register_profile("idr", deadline=None)
settings.load_profile("idr")
