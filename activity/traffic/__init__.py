"""Traffic: players of the demo world contributing to a running server over HTTP."""
