"""The accounts of the shop. A real shop stores them in a table; the password here is `correct horse`."""

import hashlib
import hmac

_SALT = bytes.fromhex("8f1d0c5e77a94f0b")
_HASHES = {"ada@example.com": bytes.fromhex("86eb4792bb07552155012561c18a7cca050602fde72bd3851ec82995612dee98")}


def _hash(password):
    return hashlib.scrypt(password.encode(), salt=_SALT, n=2**12, r=8, p=1, dklen=32)


def knows(email, password):
    """Return True if the password is correct. Unknown email addresses take as long."""
    return hmac.compare_digest(_hash(password), _HASHES.get(email, bytes(32)))
