"""Who may sign in. A real shop keeps people in a table; the password of this one is `correct horse`."""

import hashlib
import hmac

_SALT = bytes.fromhex("8f1d0c5e77a94f0b")
_HASHES = {"ada@example.com": bytes.fromhex("86eb4792bb07552155012561c18a7cca050602fde72bd3851ec82995612dee98")}


def _hash(password):
    return hashlib.scrypt(password.encode(), salt=_SALT, n=2**12, r=8, p=1, dklen=32)


def knows(email, password):
    """True when `password` is that of `email`; takes as long for people it does not know."""
    return hmac.compare_digest(_hash(password), _HASHES.get(email, bytes(32)))
