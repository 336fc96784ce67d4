"""Small datasets to try things out, and the scripts that wrote some of them."""
