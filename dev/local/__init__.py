"""The `local` stack: the IDR on one machine, from nothing to a service that answers."""
