"""What we know about models: those we offer, the kinds we can tune, their size, licence and hunger for memory.

Nothing here loads a model or touches the network: only JSON and the headers of safetensors files are read.
"""
