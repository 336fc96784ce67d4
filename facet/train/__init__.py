"""A run of kind train: the recipe told to TRL, one slice at a time, and the same result however often it is cut."""
