"""A Hub of our own on loopback, for tests: people and rights, repositories with versions, sign-in, and faults.

And a ZeroGPU scheduler (`zero.py`), which has nothing to do with the rest.

Written from what the real clients and the real login ask; nothing here is Hugging Face's own code.
"""
