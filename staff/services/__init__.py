"""The use cases of staff: signing in, second factors, sessions, roles."""
