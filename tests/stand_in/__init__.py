"""A Hub of our own on loopback, for tests: people and rights, repositories with versions, sign-in, and faults.

Written from what the real client and the real login ask; nothing here is the Hub's own code.
"""
