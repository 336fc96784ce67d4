"""Take the tuned model home: files that work without Facet."""
