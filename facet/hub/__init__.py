"""The one room that talks to the Hugging Face Hub. Its errors become ours here; nobody's token is ever used yet."""
