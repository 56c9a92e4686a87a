"""The password that every ZooKeeper server derives from a session id."""

_MULTIPLIER = 0x5DEECE66D
_MASK = (1 << 48) - 1


def session_password(session_id):
    """16 bytes: four outputs of Java's Random, seeded with the id and a constant, in little-endian order."""
    seed = (session_id ^ 0xB3415C00 ^ _MULTIPLIER) & _MASK
    password = b""
    for _ in range(4):
        seed = (seed * _MULTIPLIER + 0xB) & _MASK
        password += (seed >> 16).to_bytes(4, "little")
    return password
