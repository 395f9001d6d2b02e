"""Casino platforms that are reached over HTTP."""
