"""What a process finds around itself: the variables that the product reads, beside the settings of a book."""

import os

from tradelake.store.s3 import VARIABLES, hidden

# True: it is a secret.
READ = {"TRADELAKE_BOOK": False, "TRADELAKE_CONFIG": False, "XDG_CACHE_HOME": False, "NUMBA_CACHE_DIR": False}
IS_SET = "set"


def environment() -> dict[str, str]:
    """Return the variables that are read and set, with their values: no passwords, and of secrets only that."""
    given = {name: (os.environ.get(name), secret) for name, secret in (READ | VARIABLES).items()}
    return {name: IS_SET if secret else hidden(value) for name, (value, secret) in given.items() if value}
