"""Copies of everybody's work on a storage bucket, where the disk itself does not outlive a restart.

`mount` is the bucket as a folder, `snapshot` what of an object is copied, `copies` the thread that does it, `restore`
the way back at the start, and `promise` what the page says about all of that.
"""
