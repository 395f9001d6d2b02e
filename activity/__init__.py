"""What players do: the demo world they do it in, and traffic for a running server."""
