"""The data doctor: what may be wrong with prepared examples, and repairs that can be taken back."""
