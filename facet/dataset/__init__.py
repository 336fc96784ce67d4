"""From someone's file to what a model reads.

    source → read (sniff, delimited, jsons, parquets) → look, shape → columns → prepare (split, store) → render → tokens

Everything foreign is read in a child process with limits (`limited.call`). `render.py` is the one source of tokens and
of what is learned; `budget.py` has every limit.
"""
